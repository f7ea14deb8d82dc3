/// The parsed content of a template file.
struct TemplateContent: Sendable {
  var summary = ""
  var side = Template.Side.client
  var escaping = Escaping.ncsa(verticalTab: false, formFeed: false)
  var missingText: [UInt8] = []
  var missingNumber: [UInt8] = []
  var headerLines: [[UInt8]] = []
  /// The format, joined to one line.
  var format: [UInt8] = []
  /// The line of the file at which the format begins.
  var formatLine = 0
  var examples: [TemplateExample] = []
}

/// The keys, which precede a colon.
enum TemplateKey: String, CaseIterable {
  case summary
  case side
  case escape
  case missing
  case missingNumber = "missing-number"
  case header
  case join
  case format
  case example
  case expect

  /// Whether the key may occur more than once.
  var repeats: Bool { self == .header || self == .example || self == .expect }

  /// Whether indented lines may follow.
  var opensBlock: Bool { self == .format || self == .example || self == .expect }
}

/// One line of a template file.
struct TemplateLine {
  /// The line's number, from 1.
  let number: Int
  let bytes: ArraySlice<UInt8>

  /// The line as text, for messages.
  var text: String {
    let text = String(decoding: bytes.trimmingBlanks, as: UTF8.self)
    return text.unicodeScalars.count > 60 ? "\(text.prefix(60))…" : text
  }
}

/// A fault in a template, and its line.
struct TemplateFault: Error {
  let line: Int?
  let reason: TemplateError.Reason
}

extension ArraySlice<UInt8> {
  /// Without blanks and TABs at both ends.
  var trimmingBlanks: ArraySlice<UInt8> {
    var rest = drop { $0 == 0x20 || $0 == 0x09 }
    while rest.last == 0x20 || rest.last == 0x09 { rest.removeLast() }
    return rest
  }
}
