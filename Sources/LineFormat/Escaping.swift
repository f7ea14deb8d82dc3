import ShmLog

/// How the bytes of a value are made harmless in a line.
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
  /// For JSON strings; what is no UTF-8 becomes U+FFFD.
  case json
  /// `\t` `\n` `\r` `\\`, other control characters as `\xNN`.
  case tsv
  /// Quoted when there is a comma, a quotation mark or a control character; `"` doubled, line ends as `\n`
  /// and `\r`, so that a line stays a line.
  case csv
  /// Quoted when needed, as `key=value` readers expect.
  case logfmt
  /// Blanks as `+`; `+`, `%`, `"`, controls and bytes that aren't ASCII as `%NN`.
  case w3c
  /// Everything that is special in URLs as `%NN`, blanks, controls and bytes that aren't ASCII included.
  case url

  /// The names that template files use.
  static let names: [(String, Escaping)] = [
    ("ncsa", .ncsa(verticalTab: false, formFeed: false)), ("json", .json), ("tsv", .tsv),
    ("csv", .csv), ("logfmt", .logfmt), ("w3c", .w3c), ("url", .url), ("none", .none),
  ]

  /// Whether values are looked at as a whole, to see if they must be quoted.
  var quotesWhenNeeded: Bool { self == .csv || self == .logfmt }

  /// Whether an empty value would make a field vanish from its line.
  var needsSomething: Bool { self == .w3c || self == .url }

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
    case .w3c: mark([0x22, 0x25, 0x2B, 0x7F] + Array(0...0x20) + Array(0x80...0xFF))
    case .url: mark(Array("\"#%'<>[\\]^`{|}~".utf8) + Array(0...0x20) + Array(0x7F...0xFF))
    }
    return special
  }
}
