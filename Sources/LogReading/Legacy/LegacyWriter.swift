import CShims
import VarnishLog

/// How far the server has come in a log of 2.0 to 3.0, as seen by a reader that must not be overtaken.
///
/// The tools of these releases didn't check this. In 2.1 the head of the file says where the next record goes
/// and how often the log has begun anew; in 2.0, only where the next record goes; in 3.0, only how often the
/// log has begun anew, and where the server is in its turn is found by walking from record to record, each
/// time on from where the last walk ended (`shm-layout.md` 2.2, 3.4).
struct LegacyWriter {
  /// A place in the log: in which turn, and how many bytes from the area's beginning.
  struct Place: Equatable {
    var turn: UInt64
    var offset: Int
  }

  /// How many bytes the server may have written beyond the place where it is seen.
  ///
  /// In 2.x it is seen where it has taken space, and the margin is the longest usual record. In 3.0 it is
  /// seen at the first record that isn't finished: other threads may have finished theirs behind that one, up
  /// to half of the log if the writer is ours.
  static func margin(in area: borrowing LegacyLogArea) -> Int {
    area.generation == .v30 ? area.byteCount / 2 + 64 : 4096
  }

  private let generation: LegacyLogArea.Generation
  private let firstOffset: Int
  /// 3.0: the place up to which the server's turn was walked.
  private var walk: Place
  /// 2.1: the turns that have to be added to the file's counter, as another server has begun it anew.
  private var turnShift: UInt64 = 0
  /// 2.0: the turn that the server is in, counted from when it was seen first, and where it was seen last.
  private var seen = Place(turn: 0, offset: 0)

  init(_ area: borrowing LegacyLogArea, firstOffset: Int) {
    generation = area.generation
    self.firstOffset = firstOffset
    walk = Place(turn: 0, offset: firstOffset)
    seen.offset = area.writeOffset ?? 0
  }

  /// Where the server is, as a reader at a place sees it; in 3.0, how far it has come at least.
  mutating func place(in area: borrowing LegacyLogArea, seenFrom reader: Place) -> Place {
    switch generation {
    case .v21: return place21(area, seenFrom: reader)
    case .v20: return place20(area, seenFrom: reader)
    case .v30: return place30(area, seenFrom: reader)
    }
  }

  private mutating func place21(_ area: borrowing LegacyLogArea, seenFrom reader: Place) -> Place {
    guard var turn = area.turn else { return place20(area, seenFrom: reader) }
    // The offset goes back before the turn is counted; what is seen in between is no place.
    var offset = area.writeOffset ?? 0
    for _ in 0..<8 {
      guard let again = area.turn, again != turn else { break }
      turn = again
      offset = area.writeOffset ?? 0
    }
    turn &+= turnShift
    // A reader that has seen the wrap may be in a turn that isn't counted yet.
    if turn &+ 1 == reader.turn { return Place(turn: reader.turn, offset: offset) }
    if turn < reader.turn {
      // Another server has taken the file over, and counts from the beginning.
      turnShift &+= reader.turn &- turn
      turn = reader.turn
    }
    // The server is back at the front, and hasn't counted the turn yet.
    if turn == reader.turn, offset < reader.offset { turn &+= 1 }
    return Place(turn: turn, offset: offset)
  }

  /// Adapts the count of turns to another server that has taken the file over.
  ///
  /// The turn that this server counts now is the reader's turn, or the next one if the server has begun at
  /// the front.
  ///
  /// - Returns: whether the server has begun at the front.
  mutating func recount(in area: borrowing LegacyLogArea, seenFrom reader: Place) -> Bool {
    guard generation == .v21, let counted = area.turn, counted &+ turnShift < reader.turn,
      let offset = area.writeOffset
    else { return false }
    let isAtFront = offset < reader.offset
    turnShift = reader.turn &+ (isAtFront ? 1 : 0) &- counted
    return isAtFront
  }

  private mutating func place20(_ area: borrowing LegacyLogArea, seenFrom reader: Place) -> Place {
    let offset = area.writeOffset ?? 0
    if offset < seen.offset { seen.turn &+= 1 }
    seen.offset = offset
    // The reader may have met the wrap mark first.
    seen.turn = max(seen.turn, reader.turn)
    return seen
  }

  private mutating func place30(_ area: borrowing LegacyLogArea, seenFrom reader: Place) -> Place {
    let turn = Self.turn(area, near: reader.turn)
    if walk.turn != turn { walk = Place(turn: turn, offset: firstOffset) }
    // Only as far as it matters: to see whether the server, in the turn after the reader's, has come near the
    // reader.
    let limit = turn == reader.turn ? walk.offset : reader.offset
    while walk.offset < limit, let offset = Self.next(walk.offset, in: area) { walk.offset = offset }
    // If the server has begun anew meanwhile, the walk counts for nothing.
    guard Self.turn(area, near: reader.turn) == turn else {
      return Place(turn: Self.turn(after: turn, in: .v30), offset: firstOffset)
    }
    return walk
  }

  /// Where the record behind the one at an offset begins, in a log of 3.0; nil if there is none.
  private static func next(_ offset: Int, in area: borrowing LegacyLogArea) -> Int? {
    let left = area.byteCount - offset
    guard left >= Records30.headerByteCount else { return nil }
    // Only the first word is looked at, and once.
    let word = unsafe shim_load_acquire_u32(area.start + offset)
    guard word >> 24 < TagNumbers.none, word & 0x00FF_0000 == 0 else { return nil }
    let byteCount = Records30.headerByteCount + (Int(word & 0xFFFF) + 3) & ~3
    return byteCount <= left ? offset + byteCount : nil
  }

  /// The number of the turn after the given one.
  static func turn(after turn: UInt64, in generation: LegacyLogArea.Generation) -> UInt64 {
    let next = turn &+ 1
    return generation == .v30 && UInt32(truncatingIfNeeded: next) == 0 ? next &+ 1 : next
  }

  /// The turn that a log of 3.0 is in: turns are counted in 32 bits, from any number on, and 0 is left out.
  static func turn(_ area: borrowing LegacyLogArea, near known: UInt64) -> UInt64 {
    let low = area.turn ?? 0
    let distance = UInt32(truncatingIfNeeded: low) &- UInt32(truncatingIfNeeded: known)
    // A turn that lies behind is one of a server that has begun with another number.
    return known &+ UInt64(distance)
  }
}
