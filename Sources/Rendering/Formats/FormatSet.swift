/// A set of the formats that share captures, with one bit for each.
struct FormatSet: Equatable {
  private var bits: UInt64 = 0

  /// Whether no more formats can be added.
  var isFull: Bool { bits == .max }

  @inline(__always)
  var isEmpty: Bool { bits == 0 }

  /// The number of formats.
  var count: Int { bits.nonzeroBitCount }

  /// Adds the next format, and returns a set of it alone; when the set is full, it shares a bit with the last
  /// one.
  mutating func addNext() -> FormatSet {
    var next = FormatSet()
    next.bits = 1 << UInt64(min((~bits).trailingZeroBitCount, 63))
    bits |= next.bits
    return next
  }

  @inline(__always)
  mutating func formUnion(_ other: FormatSet) { bits |= other.bits }

  @inline(__always)
  mutating func subtract(_ other: FormatSet) { bits &= ~other.bits }

  @inline(__always)
  func intersects(_ other: FormatSet) -> Bool { bits & other.bits != 0 }
}
