/// Why a template can't be used: which file, which line, what was found there, what is expected.
public struct TemplateError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The reasons.
  public enum Reason: Error, Equatable, Sendable {
    /// The file can't be read; the system's reason.
    case unreadable(String)
    /// The file is longer than `Template.byteCountMax`.
    case tooLong
    /// A control character, which a text file can't have.
    case controlCharacter(UInt8)
    /// Bytes that are not UTF-8.
    case notUTF8
    /// A line that is neither `key: value` nor a comment nor indented.
    case strayLine(String)
    /// An indented line where no block is open.
    case strayIndent(String)
    /// A key that doesn't exist.
    case unknownKey(String)
    /// A key that may occur only once occurs again.
    case repeatedKey(String)
    /// A value that the key doesn't have.
    case badValue(key: String, found: String, expected: String)
    /// There is no format.
    case noFormat
    /// The format can't be understood.
    case format(FormatError)
    /// A value that isn't a number is outside of JSON strings.
    case unquotedValue
    /// A JSON string isn't closed.
    case openString
    /// A quotation mark isn't closed.
    case openQuotes
    /// A value isn't alone in its field.
    case mixedField(String)
    /// `%r` in a place where its blanks would split it.
    case compoundValue(String)
    /// A line of an example that isn't a record.
    case badRecord(found: String, expected: String)
    /// An example without `expect:`, or the other way round.
    case unpairedExample(missing: String)
    /// No template has this name.
    case unknownName(near: [String], known: [String])
  }

  /// The file's path, or another name for messages.
  public let place: String
  /// The line, from 1; nil if the error isn't about one line.
  public let line: Int?
  /// The reason.
  public let reason: Reason

  /// Describes an error of a template.
  public init(place: String, line: Int? = nil, reason: Reason) {
    self.place = place
    self.line = line
    self.reason = reason
  }

  /// The error in one line.
  public var description: String {
    "\(place)\(line.map { ":\($0)" } ?? ""): \(reason.description)"
  }
}

extension TemplateError.Reason: CustomStringConvertible {
  /// One line without the place.
  public var description: String {
    switch self {
    case .unreadable(let reason): reason
    case .tooLong: "longer than \(Template.byteCountMax) bytes; expected a template"
    case .controlCharacter(let byte):
      "byte \(byte) is a control character; expected text, lines and TABs"
    case .notUTF8: "bytes that are not UTF-8; expected text"
    case .strayLine(let text):
      "found '\(text)'; expected 'key: value', '# comment' or an indented line"
    case .strayIndent(let text):
      "found '\(text)' indented outside of a format, an example or an expect"
    case .unknownKey(let key):
      "found '\(key):'; expected one of "
        + TemplateKey.allCases.map(\.rawValue).joined(separator: ", ")
    case .repeatedKey(let key): "found a second '\(key):'; expected one"
    case .badValue(let key, let found, let expected):
      "found '\(key): \(found)'; expected \(expected)"
    case .noFormat: "found no 'format:'; expected one"
    case .format(let error): "format: \(error)"
    case .unquotedValue:
      "a value stands outside of quotation marks; expected only numbers there, such as %s or %O"
    case .openString: "a JSON string is not closed; expected a quotation mark"
    case .openQuotes: "a quotation mark is not closed; expected another"
    case .mixedField(let notation):
      "a value is only a part of a field; expected it alone, since \(notation) may have to quote it"
    case .compoundValue(let notation):
      "found %r, which \(notation) can't keep in one field; expected %m, %U, %q and %H"
    case .badRecord(let found, let expected): "found '\(found)'; expected \(expected)"
    case .unpairedExample(let missing): "found an example without '\(missing):'; expected both"
    case .unknownName(let near, let known):
      near.isEmpty
        ? "no such template; there are \(known.joined(separator: ", "))"
        : "no such template; did you mean \(near.joined(separator: " or "))?"
    }
  }
}
