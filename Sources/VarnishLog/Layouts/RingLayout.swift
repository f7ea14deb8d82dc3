/// Where things stand in front of a ring (`shm-layout.md` 4).
package enum RingLayout {
  package static let segmentSizeOffset = 8
  package static let segmentNumberOffset = 16
  package static let firstRecordsOffset = 24
  package static let byteCount = 88
  /// How a ring of 4.0 begins, which has another head: `VSLHEAD0`.
  package static let turningMagic: UInt64 = 0x3044_4145_484C_5356
}
