/// An event of the parser: the next item in a text.
struct YAMLEvent {
  enum Kind: Equatable {
    case streamStart
    case streamEnd
    case documentStart
    case documentEnd
    case alias(name: String)
    /// A text, and whether it is written without quotation marks.
    case scalar(text: String, isPlain: Bool)
    case sequenceStart
    case sequenceEnd
    case mappingStart
    case mappingEnd
  }

  let kind: Kind
  /// Where the item begins; in front of its anchor or tag, if it has one.
  let mark: YAMLMark
  /// The anchor's name.
  var anchor: String?
  /// The tag, in its long form.
  var tag: String?
}

/// A place in the text; line and column count from 0.
struct YAMLMark: Equatable {
  let line: Int
  let column: Int
}

/// The error for a text that the parser can't read any further.
struct YAMLFault: Error {
  /// The parser's message.
  let problem: String
  /// Where the problem is.
  let mark: YAMLMark
  /// Where the item begins that the parser was reading.
  let contextMark: YAMLMark
}
