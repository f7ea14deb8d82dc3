/// What of an image holds no records that can be believed.
public struct GivenUp: Sendable, Equatable {
  /// How many bytes, and in how many places.
  public private(set) var byteCount = 0, placeCount = 0
  /// Where the last place ends, so that what follows at once is the same place.
  private var end = -1

  mutating func note(_ bytes: Range<Int>) {
    byteCount += bytes.count
    if bytes.lowerBound != end { placeCount += 1 }
    end = bytes.upperBound
  }
}
