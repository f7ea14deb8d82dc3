import CShims
import VarnishLog

/// What stands in front of a ring: where in it the server writes, and where each segment's first record is.
///
/// Rings differ in nothing else than their heads and their records, so that `LogRing` is compiled for each pair.
public protocol RingHead: Sendable {
  /// Where word 0 of the ring is, in bytes from the beginning of the head.
  static var byteCount: Int { get }
  /// Where the head says where the segments' first records are.
  static var firstRecordsOffset: Int { get }
  /// After how many segments their numbers begin again.
  static var segmentPeriod: UInt64 { get }
  /// Whether a ring can have begun anew although no wrap mark says so.
  static var mayTurnUnmarked: Bool { get }

  /// Views the head of a log whose marker is there, in memory that stays mapped as long as this value.
  ///
  /// - Returns: nil if the server hasn't finished making it.
  init?(_ memory: UnsafeRawPointer)

  /// The size of a segment and of the ring, in words, in a log of so many bytes; nil if they don't fit.
  func sizes(logByteCount: Int) -> (segmentWords: Int, ringWords: Int)?

  /// The segment that is being written, as counted by a reader that has just attached.
  var firstSight: UInt64 { get }

  /// How many segments the server is ahead of the given one, modulo 2^32; negative if it hasn't reached that
  /// one yet.
  ///
  /// To be asked after what was read has been used: it is a fence.
  func writerDistance(from segment: UInt64) -> UInt32

  /// How many segments the server is ahead of the given one, without a modulus; negative if it hasn't reached
  /// that one yet.
  func writerLead(over segment: UInt64) -> Int64

  /// Whether the server is just beginning a turn and it can't be told which one, so that nothing can be
  /// decided that depends on it.
  var isBeginning: Bool { get }

  /// Sets the count of turns so that a turn which an earlier reader knew has the same number as then.
  mutating func count(fromTurn turn: UInt64)
}

extension RingHead {
  /// The segment that is being written, as counted by a reader in the given segment.
  func writerSegment(seenFrom segment: UInt64) -> UInt64 {
    let lead = writerLead(over: segment)
    if lead >= 0 { return segment &+ UInt64(lead) }
    // A segment in front of the first one has the number that it has a period later.
    let back = lead.magnitude
    return segment >= back ? segment - back : segment &+ Self.segmentPeriod &- back
  }
}

/// The head of a ring of 4.1 and newer: the segments have one running number (`shm-layout.md` 6.3).
///
/// ```
/// byte 0   marker        8 bytes, stored last when the log is made
///      8   segment size  Int64, in words of 4 bytes
///     16   segment       UInt32, number of the segment being written, modulo 2^32
///     24   offsets       8 × Int64, where the first record of each segment starts; -1 = not yet
///     88   word 0 of the ring, which has 8 × segment size words
/// ```
@safe public struct NumberedRingHead: RingHead, @unchecked Sendable {
  private let memory: UnsafeRawPointer

  /// The number that a ring's first segment has.
  static var firstNumber: UInt32 { 0xFFFF_FFF8 }

  /// 88.
  public static var byteCount: Int { RingLayout.byteCount }
  /// 24.
  public static var firstRecordsOffset: Int { RingLayout.firstRecordsOffset }
  /// The numbers have 32 bits.
  public static var segmentPeriod: UInt64 { 1 << 32 }
  /// The wrap mark is there before the segment's number.
  public static var mayTurnUnmarked: Bool { false }

  /// Views a head; it is finished when the marker is there.
  public init?(_ memory: UnsafeRawPointer) { unsafe self.memory = memory }

  /// The size that the head says, if eight segments of it fit.
  public func sizes(logByteCount: Int) -> (segmentWords: Int, ringWords: Int)? {
    let size = unsafe Int(
      bitPattern: UInt(shim_load_acquire_u64(memory + RingLayout.segmentSizeOffset)))
    guard size > 0, size <= (logByteCount - Self.byteCount) / 4 / 8 else { return nil }
    return (size, size * 8)
  }

  /// The number, counted from that of a ring's first segment on.
  public var firstSight: UInt64 { UInt64(writerDistance(from: 0)) }

  /// The difference of the numbers.
  public func writerDistance(from segment: UInt64) -> UInt32 {
    shim_fence_acquire()
    let number = unsafe shim_load_acquire_u32(memory + RingLayout.segmentNumberOffset)
    return number &- Self.firstNumber &- UInt32(truncatingIfNeeded: segment)
  }

  /// The difference of the numbers, which is never larger than half of what they can be.
  public func writerLead(over segment: UInt64) -> Int64 {
    Int64(Int32(bitPattern: writerDistance(from: segment)))
  }

  /// There is one number, which is stored in one piece.
  public var isBeginning: Bool { false }

  /// Nothing to be done: the number in the head is the lower half of what is counted.
  public mutating func count(fromTurn turn: UInt64) {}
}

/// The head of a ring of 4.0: the turns are counted, and within each the segments from 0 to 7 (`shm-layout.md` 6.2).
///
/// ```
/// byte 0   marker   8 bytes
///      8   offsets  8 × Int64, where the first record of each segment starts; -1 = not yet
///     72   segment  UInt32, the one being written
///     76   turn     UInt32; begins anywhere, and 0 is left out: 0 = the log isn't finished
///     80   word 0 of the ring, which has all words that are left
/// ```
///
/// Segment and turn are both stored when the ring begins anew, one after the other, in an order that isn't
/// known. As long as an end mark is all that the new turn has, a reader that is close behind knows from its
/// own place what is meant; one that has just attached, or was overtaken, waits until there is more.
@safe public struct TurningRingHead: RingHead, @unchecked Sendable {
  private let memory: UnsafeRawPointer
  /// Which turn of all has the number 0 here; see `count(fromTurn:)`.
  private var origin: UInt64

  private static var segmentOffset: Int { 72 }
  static var turnOffset: Int { 76 }
  /// After how many turns their numbers begin again, as 0 is left out.
  private static var period: UInt64 { UInt64(UInt32.max) }
  /// Turns are counted from the last multiple of this on: places in the log stay small, wherever the server begins to
  /// count, and what a reader has stored is still told apart from what was there so many turns later.
  ///
  /// About a million, and a divisor of the period, so that it makes no difference when the numbers begin again.
  private static var originStep: UInt64 { 15 * 65537 }

  /// 80.
  public static var byteCount: Int { 80 }
  /// 8.
  public static var firstRecordsOffset: Int { 8 }
  /// Eight in each turn.
  public static var segmentPeriod: UInt64 { period * 8 }
  /// The turn's number may be there before the wrap mark.
  public static var mayTurnUnmarked: Bool { true }

  /// Views a head, if the turn's number is there.
  public init?(_ memory: UnsafeRawPointer) {
    let turn = unsafe shim_load_acquire_u32(memory + Self.turnOffset)
    guard turn > 0 else { return nil }
    unsafe self.memory = memory
    // The turn before is counted as well: what is left of it can be read.
    let former = turn > 1 ? UInt64(turn) - 2 : Self.period - 1
    origin = former / Self.originStep * Self.originStep
  }

  /// An eighth of the words that there are.
  public func sizes(logByteCount: Int) -> (segmentWords: Int, ringWords: Int)? {
    let words = (logByteCount - Self.byteCount) / 4
    return words < 8 ? nil : (words / 8, words)
  }

  /// Counted from the origin on.
  public var firstSight: UInt64 {
    let (turn, eighth) = position
    return (turn + Self.period - origin) % Self.period * 8 + eighth
  }

  /// The turn, counted from 0 on, and the segment.
  private var position: (turn: UInt64, eighth: UInt64) {
    let turn = unsafe shim_load_acquire_u32(memory + Self.turnOffset)
    let eighth = unsafe shim_load_acquire_u32(memory + Self.segmentOffset)
    // No server has a turn 0: in a log that is wiped while it is read, it counts as an old turn.
    return (UInt64(turn &- 1), UInt64(min(eighth, 7)))
  }

  /// Whether the present turn has no record yet.
  private var isFresh: Bool {
    unsafe shim_load_acquire_u32(memory + Self.byteCount) == 0xFE45_4545
  }

  /// The difference of turns and segments, as far as the type has room for it.
  public func writerDistance(from segment: UInt64) -> UInt32 {
    UInt32(bitPattern: Int32(clamping: writerLead(over: segment)))
  }

  /// The difference of turns and segments.
  public func writerLead(over segment: UInt64) -> Int64 {
    shim_fence_acquire()
    let (turn, eighth) = position
    let (ownTurn, ownEighth) = ((origin &+ segment / 8) % Self.period, segment % 8)
    // Modulo the period, both being less than it or just it.
    var turns = Int64(turn) - Int64(ownTurn)
    if turns < -Int64(Self.period / 2) { turns += Int64(Self.period) }
    if turns > Int64(Self.period / 2) { turns -= Int64(Self.period) }
    // A turn has half begun: it isn't counted yet, or the segment isn't set back yet.
    if turns == 0, eighth == 0, ownEighth > 0, isFresh { turns = 1 }
    if turns == 1, eighth == 7, isFresh { turns = 0 }
    return turns * 8 + Int64(eighth) - Int64(ownEighth)
  }

  /// True until the turn's first record is there, unless it is the first turn of all.
  public var isBeginning: Bool {
    guard isFresh, unsafe shim_load_acquire_u64(memory + Self.firstRecordsOffset + 7 * 8) >> 63 == 0 else {
      return false
    }
    let eighth = position.eighth
    return eighth == 0 || eighth == 7
  }

  /// Takes the present turn for the last one that can have been counted so.
  public mutating func count(fromTurn turn: UInt64) {
    let present = position.turn
    let behind = (present + Self.originStep - turn % Self.originStep) % Self.originStep
    // That turn is so far behind the present one; the origin is as far in front of it as was counted.
    let (own, counted) = ((present &+ Self.period &- behind) % Self.period, turn % Self.period)
    origin = (own &+ Self.period &- counted) % Self.period
  }
}
