import CShims
import SharedMemory
import VarnishLog

/// The state of a ring: what its head says of its segments, and of the place where its server writes.
public struct RingFacts: Sendable, Equatable {
  /// How many bytes there are for records.
  public let byteCount: Int
  /// How long a segment is, in bytes; nil before 4.0, whose logs have none.
  public private(set) var segmentByteCount: Int?
  /// The segments, in the order in which they lie in the ring.
  public private(set) var segments: [Segment] = []
  /// Where the next record goes, in bytes from the ring's first record; nil if nothing leads there.
  public let writerOffset: Int?
  /// How often the ring has begun anew since the log was made; nil where that isn't counted from the beginning.
  public let turns: UInt64?

  /// An eighth of a ring.
  public struct Segment: Sendable, Equatable {
    /// The running number, which begins with 0 from 4.1 on and with any number in 4.0; nil for a segment that
    /// was never written.
    public let number: UInt64?
    /// Where the segment's first record begins, in bytes from the ring's first record.
    public let firstOffset: Int?
    /// What is in the segment.
    public let state: State

    /// What is in a segment.
    public enum State: String, Sendable {
      /// The server writes here; older records may be left behind the writer's place.
      case written
      /// All of its records are there.
      case whole
      /// All of its records are there, and it is the next segment to be overwritten.
      case next
      /// Nothing was ever written there.
      case unused
    }
  }

  /// The ring of a server from 4.0 on.
  init(_ ring: RingImage, _ mapping: borrowing ReadOnlyMapping) {
    byteCount = ring.words * 4
    segmentByteCount = ring.segmentWords * 4
    writerOffset = ring.tail(mapping) - ring.start
    let number: UInt64
    switch ring.head {
    case .v40:
      let turn = unsafe mapping.base.loadUnaligned(
        fromByteOffset: ring.origin + TurningRingHead.turnOffset, as: UInt32.self)
      number = UInt64(turn) * 8 + UInt64(ring.current)
      turns = nil
    case .v41, .v73:
      let raw = unsafe mapping.base.loadUnaligned(
        fromByteOffset: ring.origin + RingLayout.segmentNumberOffset, as: UInt32.self)
      number = UInt64(raw &- NumberedRingHead.firstNumber)
      turns = number / 8
    }
    segments = ring.firsts.indices.map { index in
      guard let first = ring.firsts[index] else {
        return Segment(number: nil, firstOffset: nil, state: .unused)
      }
      let distance = (ring.current - index + RingImage.segmentCount) % RingImage.segmentCount
      let state: Segment.State =
        switch distance {
        case 0: .written
        case RingImage.segmentCount - 1: .next
        default: .whole
        }
      return Segment(
        number: number >= UInt64(distance) ? number - UInt64(distance) : nil, firstOffset: first * 4,
        state: state)
    }
  }

  /// The log of a server before 4.0.
  init(byteCount: Int, writerOffset: Int?, turns: UInt64?) {
    self.byteCount = byteCount
    self.writerOffset = writerOffset
    self.turns = turns
  }
}
