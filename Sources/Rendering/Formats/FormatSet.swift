/// Some of the formats that share captures, a bit each.
struct FormatSet: Equatable {
  private var bits: UInt64 = 0

  /// Whether there can be no more formats.
  var isFull: Bool { bits == .max }

  @inline(__always)
  var isEmpty: Bool { bits == 0 }

  /// How many there are.
  var count: Int { bits.nonzeroBitCount }

  /// Adds the next one, and returns it alone; once there are as many as there can be, it shares a bit with the last.
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
