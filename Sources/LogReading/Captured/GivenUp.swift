import Platform

/// What of an image holds no records that can be believed.
public struct GivenUp: Sendable, Equatable {
  /// How many bytes, and in how many places.
  public private(set) var byteCount = 0, placeCount = 0
  /// Where the last place ends, so that what follows at once is the same place.
  private var end = -1

  /// Nothing yet.
  public init() {}

  mutating func note(_ bytes: Range<Int>) {
    byteCount += bytes.count
    if bytes.lowerBound != end { placeCount += 1 }
    end = bytes.upperBound
  }

  /// What is said of it at the end; nil if there is nothing.
  public func summary(of path: String) -> String? {
    guard byteCount > 0 else { return nil }
    return "\(path): \(counted(byteCount, "byte")) in \(counted(placeCount, "place")) given up: "
      + "they are damaged, or were overwritten while they were copied"
  }

  /// What is said of one place.
  public static func place(_ bytes: Range<Int>, of path: String, isDecoded: Bool) -> String {
    LogError.place(path, bytes.lowerBound, isDecoded: isDecoded)
      + ": \(counted(bytes.count, "byte")) given up, up to offset \(bytes.upperBound)"
  }
}
