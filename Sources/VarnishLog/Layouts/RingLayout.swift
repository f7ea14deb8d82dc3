/// The offsets of the fields of a ring's head, 4.1 and later (`shm-layout.md` 6.3).
@usableFromInline package enum RingLayout {
  @inlinable package static var segmentSizeOffset: Int { 8 }
  @inlinable package static var segmentNumberOffset: Int { 16 }
  @inlinable package static var firstRecordsOffset: Int { 24 }
  @inlinable package static var byteCount: Int { 88 }
  /// How a ring of 4.0 begins, which has another head: `VSLHEAD0`.
  package static let turningMagic: UInt64 = 0x3044_4145_484C_5356
}
