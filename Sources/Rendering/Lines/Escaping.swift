/// How the bytes of a value are escaped in a line.
///
/// Literal text of a format is never escaped, so quotation marks and separators are the format's own.
public enum Escaping: Equatable, Sendable {
  /// As they are.
  case none
  /// `"` and `\` with a backslash, `\n` `\r` `\t`, everything else outside 0x20…0x7e as `\xNN`. Which of
  /// the rarer letters are used depends on the release.
  case ncsa(verticalTab: Bool, formFeed: Bool)
  /// For JSON strings, byte by byte as released versions do it: bytes from 0x7f on as they are, and
  /// `\v`, which JSON doesn't have, in some releases.
  case jsonBytes(verticalTab: Bool)
  /// For JSON strings; bytes that aren't UTF-8 become U+FFFD.
  case json
  /// `\t` `\n` `\r` `\\`, other control characters as `\xNN`.
  case tsv
  /// Quoted when there is a comma, a quotation mark or a control character; `"` doubled, line ends as `\n`
  /// and `\r`, so that a line stays a line.
  case csv
  /// Quoted when needed, as `key=value` readers expect.
  case logfmt
  /// For columns between blanks, some of them in quotation marks, as in access logs: bytes that could end the
  /// column at the value's place, and `\`, controls and bytes that aren't ASCII, as `\xNN`.
  case columns(ColumnPlace)
  /// Blanks as `+`; `+`, `%`, `"`, `#`, `\`, controls and bytes that aren't ASCII as `%NN`; of a user's name also
  /// brackets and slashes.
  case w3c(isName: Bool)
  /// Everything that is special in URLs as `%NN`, blanks, controls and bytes that aren't ASCII included.
  case url

  /// The place of a value in a line of columns.
  public enum ColumnPlace: Sendable {
    /// In quotation marks, where only a quotation mark ends it.
    case quoted
    /// In quotation marks, one of some words with blanks between them.
    case word
    /// Without quotation marks: blanks end it, brackets belong to the time, and `#` begins a comment.
    case bare
    /// As `bare`, for a user's name, which AWStats takes to end at a slash as well.
    case name
  }

  /// The names that template files use.
  static let names: [(String, Escaping)] = [
    ("ncsa", .ncsa(verticalTab: false, formFeed: false)), ("json", .json), ("tsv", .tsv),
    ("csv", .csv), ("logfmt", .logfmt), ("w3c", .w3c(isName: false)), ("url", .url),
    ("columns", .columns(.quoted)), ("none", .none),
  ]

  /// Whether values are looked at as a whole, to see if they must be quoted.
  var quotesWhenNeeded: Bool { self == .csv || self == .logfmt }

  /// Whether an empty value would remove a field from its line.
  var needsSomething: Bool {
    switch self {
    case .w3c, .url, .columns: true
    default: false
    }
  }

  /// Whether values that must be a number or a protocol are checked, so that nothing else gets into their
  /// place.
  var checksFields: Bool {
    switch self {
    case .w3c, .url, .columns, .tsv, .csv, .logfmt: true
    case .none, .ncsa, .json, .jsonBytes: false
    }
  }

  /// Which bytes can't be copied as they are, one flag for each.
  var specialBytes: [Bool] {
    var special = [Bool](repeating: false, count: 256)
    func mark(_ bytes: some Sequence<UInt8>) { for byte in bytes { special[Int(byte)] = true } }
    switch self {
    case .none: break
    case .ncsa: mark([0x22, 0x5C] + Array(0..<0x20) + Array(0x7F...0xFF))
    case .jsonBytes: mark([0x22, 0x5C] + Array(0..<0x20))
    case .json: mark([0x22, 0x5C] + Array(0..<0x20) + Array(0x80...0xFF))
    case .tsv: mark([0x5C, 0x7F] + Array(0..<0x20))
    case .csv: mark([0x22, 0x0A, 0x0D])
    case .logfmt: mark([0x22, 0x5C, 0x7F] + Array(0..<0x20) + Array(0x80...0xFF))
    case .columns(let place):
      mark([0x22, 0x5C] + Array(0..<0x20) + Array(0x7F...0xFF))
      if place != .quoted { mark([0x20]) }
      if place == .bare || place == .name { mark(Array("[]#".utf8)) }
      if place == .name { mark(Array("/".utf8)) }
    case .w3c(let isName):
      if isName { mark(Array("[]/".utf8)) }
      mark([0x22, 0x23, 0x25, 0x2B, 0x5C, 0x7F] + Array(0...0x20) + Array(0x80...0xFF))
    case .url: mark(Array("\"#%'<>[\\]^`{|}~".utf8) + Array(0...0x20) + Array(0x7F...0xFF))
    }
    return special
  }
}
