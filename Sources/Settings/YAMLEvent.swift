/// What the parser finds next in a text.
struct YAMLEvent {
  enum Kind: Equatable {
    case streamStart
    case streamEnd
    case documentStart
    case documentEnd
    case alias(name: String)
    /// A text, and whether it stands without quotation marks.
    case scalar(text: String, isPlain: Bool)
    case sequenceStart
    case sequenceEnd
    case mappingStart
    case mappingEnd
  }

  let kind: Kind
  /// Where it begins; in front of an anchor or a tag, if it has one.
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

/// Why the parser can't go on.
struct YAMLFault: Error {
  /// The parser's words for it.
  let problem: String
  /// Where that is.
  let mark: YAMLMark
  /// Where what it was reading begins.
  let contextMark: YAMLMark
}
