/// A set of tag numbers, 256 bits.
public struct TagSet: Equatable, Sendable {
  @usableFromInline package var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)

  /// Makes the empty set.
  public init() {}

  /// The set of all numbers.
  public static var all: TagSet {
    var set = TagSet()
    set.words = (.max, .max, .max, .max)
    return set
  }

  /// Adds a number.
  public mutating func insert(_ number: UInt8) {
    let bit = UInt64(1) << UInt64(number & 63)
    switch number >> 6 {
    case 0: words.0 |= bit
    case 1: words.1 |= bit
    case 2: words.2 |= bit
    default: words.3 |= bit
    }
  }

  /// Adds every number of another set.
  public mutating func formUnion(_ other: TagSet) {
    words.0 |= other.words.0
    words.1 |= other.words.1
    words.2 |= other.words.2
    words.3 |= other.words.3
  }

  /// Takes out every number of another set.
  public mutating func subtract(_ other: TagSet) {
    words.0 &= ~other.words.0
    words.1 &= ~other.words.1
    words.2 &= ~other.words.2
    words.3 &= ~other.words.3
  }

  /// Whether a number is in the set.
  @inlinable
  public func contains(_ number: UInt8) -> Bool {
    let word =
      switch number >> 6 {
      case 0: words.0
      case 1: words.1
      case 2: words.2
      default: words.3
      }
    return word &>> UInt64(number & 63) & 1 != 0
  }

  /// Whether every number of another set is in this one, too.
  public func contains(_ other: TagSet) -> Bool {
    var rest = other
    rest.subtract(self)
    return rest == TagSet()
  }

  /// Whether two sets hold the same numbers.
  public static func == (a: TagSet, b: TagSet) -> Bool { a.words == b.words }
}
