/// Where things stand in `_.vsl`, the one file of 2.0 and 2.1 (`shm-layout.md` 2.1).
///
/// ```
/// byte 0   magic          UInt32
///      4   head size      UInt32, counters and panic message included
///      8   start          Int64, seconds since 1970
///     16   master, child  2 × Int32, process numbers; 2.0 doesn't have them
///     24   log            UInt32, where it begins in the file
///     28   log size       UInt32
///     32   pointer        UInt32, where in the log the next record is written
///     40   counters       N × UInt64
///   head   parameters, then the log
/// ```
package struct FlatFileLayout: Sendable, Equatable {
  package let magic: UInt32
  /// Where the manager's process number is, and the worker's behind it; nil in 2.0.
  package let masterOffset: Int?
  package let logStartOffset: Int
  package let logSizeOffset: Int
  package let pointerOffset: Int
  /// Where the head counts how often the log has begun anew, if it has as many bytes as a known release's.
  private let cyclesOffset: Int?
  private let headByteCounts: [UInt32]

  package static let headSizeOffset = 4
  package static let startOffset = 8

  /// The layout of 2.0, of whose counters it isn't known which is which.
  package static let v20 = FlatFileLayout(
    magic: 4_185_512_498, masterOffset: nil, logStartOffset: 16, logSizeOffset: 20, pointerOffset: 24,
    cyclesOffset: nil, headByteCounts: [])

  /// The layout of 2.1, with 99, 104 or 107 counters, of which the 67th counts the turns.
  package static let v21 = FlatFileLayout(
    magic: 4_185_512_499, masterOffset: 16, logStartOffset: 24, logSizeOffset: 28, pointerOffset: 32,
    cyclesOffset: 40 + 8 * 66, headByteCounts: [99, 104, 107].map { 40 + 8 * $0 + 65536 })

  /// The layout that a file's first word tells.
  package init?(magic: UInt32) {
    switch magic {
    case Self.v20.magic: self = .v20
    case Self.v21.magic: self = .v21
    default: return nil
    }
  }

  private init(
    magic: UInt32, masterOffset: Int?, logStartOffset: Int, logSizeOffset: Int, pointerOffset: Int,
    cyclesOffset: Int?, headByteCounts: [UInt32]
  ) {
    self.magic = magic
    self.masterOffset = masterOffset
    self.logStartOffset = logStartOffset
    self.logSizeOffset = logSizeOffset
    self.pointerOffset = pointerOffset
    self.cyclesOffset = cyclesOffset
    self.headByteCounts = headByteCounts
  }

  /// Where the counter of turns is in a file with such a head; nil if that isn't known.
  package func cyclesOffset(headByteCount: UInt32) -> Int? {
    headByteCounts.contains(headByteCount) ? cyclesOffset : nil
  }

  /// Where the counters begin, which go on until the panic message.
  package var countersOffset: Int { pointerOffset + 8 }

  /// The smallest file that has a whole head in front of its log.
  package var headByteCountMin: Int { pointerOffset + 4 }
}
