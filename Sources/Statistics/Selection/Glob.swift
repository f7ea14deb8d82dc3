/// A pattern for names, as `fnmatch` takes them where no locale is set: `*`, `?`, `[a-z]`, `[!a-z]`,
/// `[[:alpha:]]`, and a backslash in front of a character that stands for itself.
///
/// Names may be untrusted, so matching takes no longer than the product of both lengths, however many stars
/// there are.
public struct Glob: Sendable, Equatable {
  /// The bytes of the pattern.
  public let pattern: [UInt8]

  /// Takes a pattern; a part of it that makes no sense stands for itself, or matches nothing.
  public init(_ pattern: [UInt8]) { self.pattern = pattern }

  /// Whether the pattern matches a whole name.
  public func matches(_ name: String) -> Bool {
    var name = name
    return name.withUTF8 { unsafe matches(Array($0)) }
  }

  private func matches(_ name: [UInt8]) -> Bool {
    var (at, next) = (0, 0)
    // The place behind the last star, and where in the name the bytes that it stands for end.
    var star: (pattern: Int, name: Int)?
    while next < name.count {
      if at < pattern.count, pattern[at] == UInt8(ascii: "*") {
        at += 1
        star = (at, next)
      } else if let behind = element(at, takes: name[next]) {
        at = behind
        next += 1
      } else if let last = star {
        // A star in front of this one can't do better than this one.
        star = (last.pattern, last.name + 1)
        (at, next) = (last.pattern, last.name + 1)
      } else {
        return false
      }
    }
    return pattern[at...].allSatisfy { $0 == UInt8(ascii: "*") }
  }

  /// Where the pattern goes on behind an element that matches a byte; nil if it doesn't match.
  private func element(_ at: Int, takes byte: UInt8) -> Int? {
    guard at < pattern.count else { return nil }
    switch pattern[at] {
    case UInt8(ascii: "?"): return at + 1
    case UInt8(ascii: "\\"):
      // A backslash at the end matches nothing.
      return at + 1 < pattern.count && pattern[at + 1] == byte ? at + 2 : nil
    case UInt8(ascii: "["):
      guard let set = set(at + 1, byte) else { return byte == pattern[at] ? at + 1 : nil }
      return set.takes ? set.end : nil
    default: return pattern[at] == byte ? at + 1 : nil
    }
  }

  // MARK: Sets

  /// Whether a set, which begins behind a bracket, matches a byte, and where it ends; nil if it has no end,
  /// and so is no set.
  private func set(_ start: Int, _ byte: UInt8) -> (takes: Bool, end: Int)? {
    var at = start
    let isNegated =
      at < pattern.count && (pattern[at] == UInt8(ascii: "!") || pattern[at] == UInt8(ascii: "^"))
    if isNegated { at += 1 }
    var (takes, isFirst) = (false, true)
    while at < pattern.count {
      if pattern[at] == UInt8(ascii: "]"), !isFirst { return (takes != isNegated, at + 1) }
      isFirst = false
      if let (isMember, end) = characterClass(at, byte) {
        takes = takes || isMember
        at = end
        continue
      }
      guard let (low, behind) = member(at) else { return nil }
      at = behind
      // A minus in front of the end stands for itself.
      if at + 1 < pattern.count, pattern[at] == UInt8(ascii: "-"), pattern[at + 1] != UInt8(ascii: "]") {
        guard let (high, behind) = member(at + 1) else { return nil }
        at = behind
        takes = takes || (low <= byte && byte <= high)
      } else {
        takes = takes || byte == low
      }
    }
    return nil
  }

  /// A byte of a set, perhaps behind a backslash.
  private func member(_ at: Int) -> (byte: UInt8, end: Int)? {
    guard pattern[at] == UInt8(ascii: "\\") else { return (pattern[at], at + 1) }
    return at + 1 < pattern.count ? (pattern[at + 1], at + 2) : nil
  }

  /// Whether a byte belongs to a class such as `[:alpha:]`, and where the class ends; nil if there is no
  /// class.
  private func characterClass(_ at: Int, _ byte: UInt8) -> (isMember: Bool, end: Int)? {
    guard pattern[at...].starts(with: "[:".utf8) else { return nil }
    let rest = pattern[(at + 2)...]
    guard let colon = rest.firstIndex(of: UInt8(ascii: ":")), pattern[colon...].starts(with: ":]".utf8),
      let isMember = Self.classes[String(decoding: pattern[at + 2..<colon], as: UTF8.self)]
    else { return nil }
    return (isMember(byte), colon + 2)
  }

  private static let classes: [String: @Sendable (UInt8) -> Bool] = [
    "alpha": isLetter, "digit": isDigit, "alnum": { isLetter($0) || isDigit($0) },
    "upper": { (0x41...0x5A).contains($0) }, "lower": { (0x61...0x7A).contains($0) },
    "space": { $0 == 0x20 || (0x09...0x0D).contains($0) }, "blank": { $0 == 0x20 || $0 == 0x09 },
    "punct": { (0x21...0x7E).contains($0) && !isLetter($0) && !isDigit($0) },
    "print": { (0x20...0x7E).contains($0) }, "graph": { (0x21...0x7E).contains($0) },
    "cntrl": { $0 < 0x20 || $0 == 0x7F },
    "xdigit": { isDigit($0) || (0x41...0x46).contains($0 & 0xDF) },
  ]

  @Sendable private static func isLetter(_ byte: UInt8) -> Bool { (0x41...0x5A).contains(byte & 0xDF) }
  @Sendable private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
}
