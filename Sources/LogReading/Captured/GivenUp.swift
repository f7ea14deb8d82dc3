import Platform

/// The bytes of an image in which no believable records were found.
public struct GivenUp: Sendable, Equatable {
  /// How many bytes, and in how many places.
  public private(set) var byteCount = 0, placeCount = 0
  /// Where the last place ends; bytes that begin right there belong to the same place.
  private var end = -1

  /// Begins with nothing given up.
  public init() {}

  mutating func note(_ bytes: Range<Int>) {
    byteCount += bytes.count
    if bytes.lowerBound != end { placeCount += 1 }
    end = bytes.upperBound
  }

  /// The message about all of these bytes at the end; nil if there are none.
  public func summary(of path: String) -> String? {
    guard byteCount > 0 else { return nil }
    return "\(path): \(counted(byteCount, "byte")) in \(counted(placeCount, "place")) given up: "
      + "they are damaged, or were overwritten while they were copied"
  }

  /// The message about one place.
  public static func place(_ bytes: Range<Int>, of path: String, isDecoded: Bool) -> String {
    LogError.place(path, bytes.lowerBound, isDecoded: isDecoded)
      + ": \(counted(bytes.count, "byte")) given up, up to offset \(bytes.upperBound)"
  }
}
