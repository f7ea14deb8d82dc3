import VarnishLog

/// Records, and the lines that a template has to make of them.
///
/// A record is written `SIDE TAG PAYLOAD`: `c`, `b` or `-`; the tag's full name; then the payload, in which
/// `\\`, `\n`, `\r`, `\t`, `\0` and `\xNN` stand for bytes that can't be written otherwise. A `Begin` starts
/// the next transaction. The transactions of an example are numbered 2, 3 and so on; each ends by itself, so
/// that an `End` need not be written. Times are shown in UTC.
struct TemplateExample: Sendable {
  /// The title of the example; may be empty.
  let title: String
  let line: Int
  var expectLine = 0
  var records: [Record] = []
  /// The expected lines; nil before they are known.
  var expected: [[UInt8]]?

  init(title: String, line: Int) {
    self.title = title
    self.line = line
  }

  struct Record: Sendable {
    let side: Side
    let tag: UInt8
    let payload: [UInt8]

    /// What was expected where something else was found.
    struct Fault: Error {
      let expected: String
    }

    /// Reads `SIDE TAG PAYLOAD`.
    init(_ text: ArraySlice<UInt8>, isFirst: Bool) throws(Fault) {
      let isBlank = { (byte: UInt8) in byte == 0x20 || byte == 0x09 }
      let sideWord = text.prefix { !isBlank($0) }
      switch String(decoding: sideWord, as: UTF8.self) {
      case "c": side = .client
      case "b": side = .backend
      case "-": side = .none
      default: throw Fault(expected: "a record: c, b or -, a tag, its payload")
      }
      let rest = text.dropFirst(sideWord.count).drop(while: isBlank)
      let name = rest.prefix { !isBlank($0) }
      guard case .found(let tag) = TagLookup(name, in: TemplateCheck.rules.version),
        tag.name.utf8.elementsEqual(name), let number = TemplateCheck.tags.number(of: tag)
      else { throw Fault(expected: "a tag's full name, such as ReqMethod") }
      guard !isFirst || tag == .begin else { throw Fault(expected: "a Begin first") }
      self.tag = number
      let escapes: [Character: UInt8] = ["\\": 0x5C, "n": 0x0A, "r": 0x0D, "t": 0x09, "0": 0]
      let written = rest.dropFirst(name.count).drop(while: isBlank)
      guard let payload = EscapedText.decode(written, escapes: escapes, hex: true) else {
        throw Fault(expected: "no backslash but in \\\\, \\n, \\r, \\t, \\0 and \\xNN")
      }
      guard payload.count < RecordHeader.payloadByteCountMax else {
        throw Fault(expected: "a payload of less than 64 KiB")
      }
      self.payload = payload
    }
  }
}
