/// A released version whose behaviour is to be reproduced.
///
/// A version given without its last number means the newest release of that line: 6.0 is the long-term
/// line as it ended, not 6.0.0.
public struct VarnishVersion: Comparable, Hashable, Sendable, CustomStringConvertible {
  /// The three numbers of the release.
  public let major: Int, minor: Int, patch: Int

  /// Names a release.
  public init(_ major: Int, _ minor: Int, _ patch: Int = newestPatch) {
    self.major = major
    self.minor = minor
    self.patch = patch
  }

  /// The patch number that stands for "the newest of this line".
  public static let newestPatch = 999

  /// Reads "7.1", "6.0.16" or "9"; nil if it is not a version from 2.0 to 9.x.
  public init?(parsing text: String) {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    let numbers = parts.compactMap { part in
      part.allSatisfy(\.isASCII) && !part.hasPrefix("+") && !part.hasPrefix("-")
        ? Int(part) : nil
    }
    guard numbers.count == parts.count, (1...3).contains(parts.count) else { return nil }
    guard (2...9).contains(numbers[0]), numbers.allSatisfy({ $0 < Self.newestPatch }) else {
      return nil
    }
    let minor = numbers.count > 1 ? numbers[1] : (numbers[0] < 6 ? Self.newestPatch : 0)
    self.init(numbers[0], minor, numbers.count > 2 ? numbers[2] : Self.newestPatch)
  }

  /// Orders by release number.
  public static func < (a: VarnishVersion, b: VarnishVersion) -> Bool {
    (a.major, a.minor, a.patch) < (b.major, b.minor, b.patch)
  }

  /// Whether this is a release of the 6.0 long-term line, which got some later features and not others.
  public var isLongTerm60: Bool { major == 6 && minor == 0 }

  /// The dotted form, without the parts that were not given.
  public var description: String {
    let front = minor == Self.newestPatch ? "\(major)" : "\(major).\(minor)"
    return patch == Self.newestPatch ? front : "\(front).\(patch)"
  }
}
