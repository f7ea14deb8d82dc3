import Glibc

/// A ring of 4.0, written by a test: the log counts turns, and segments within a turn (`shm-layout.md` 6.2).
public final class TurningRingWriter {
  /// The order in which turn and segment are stored when the ring begins again: readers have to cope with
  /// both.
  public enum Order: CaseIterable, Sendable { case turnFirst, segmentFirst }

  /// Called between the two stores when the ring begins again, and before the wrap mark.
  public var betweenStores: () -> Void = {}
  /// The order used.
  public var order = Order.turnFirst
  /// The sizes of a segment and of the ring, in words.
  public let eighthWords: Int, ringWords: Int
  /// The position of the next record, and its segment and turn.
  public private(set) var position = 0, segment = 0, turn: UInt32
  private let file: MappedFile
  private let start: Int

  private static let headBytes = 80

  /// Sets up a ring in a part of a file.
  ///
  /// - Parameter turn: the number of the first turn, above 0.
  public init(in file: MappedFile, at start: Int, byteCount: Int, turn: UInt32 = 7) {
    self.file = file
    self.start = start
    self.turn = turn
    ringWords = (byteCount - Self.headBytes) / 4
    eighthWords = ringWords / 8
    for index in 0..<8 { storeFirst(index == 0 ? 0 : -1, of: index) }
    store(RingWriter.endMark, at: 0)
    file.store(UInt32(0), at: start + 72)
    file.store(turn, at: start + 76)
    file.store(UInt64(0x3044_4145_484C_5356), at: start)
  }

  /// Space in the ring that has been taken and shows as the end of the log until it is filled.
  public struct Reservation {
    fileprivate let start: Int
    fileprivate let words: [UInt32]
  }

  /// Writes the records of a transaction in one piece.
  public func append(batch records: [SampleRecord]) { commit(reserve(records)) }

  /// Takes space without filling it.
  public func reserve(_ records: [SampleRecord]) -> Reservation {
    let inner = records.flatMap { $0.words(.twoWord) }
    let words = [0xFF00_0000, UInt32(inner.count * 4)] + inner
    precondition(words.count < ringWords, "a record larger than the ring")
    if position + words.count >= ringWords { wrap() }
    let start = position
    position += words.count
    store(RingWriter.endMark, at: position)
    while segment < 7, position / eighthWords > segment {
      segment += 1
      storeFirst(position, of: segment)
    }
    file.store(UInt32(segment), at: self.start + 72)
    return Reservation(start: start, words: words)
  }

  /// Fills the reserved space.
  public func commit(_ reservation: Reservation) {
    for (index, word) in reservation.words.enumerated().dropFirst() {
      store(word, at: reservation.start + index)
    }
    store(reservation.words[0], at: reservation.start)
  }

  private func wrap() {
    storeFirst(0, of: 0)
    store(RingWriter.endMark, at: 0)
    turn = turn == .max ? 1 : turn + 1
    segment = 0
    let stores = [
      { self.file.store(self.turn, at: self.start + 76) },
      { self.file.store(UInt32(0), at: self.start + 72) },
    ]
    for store in order == .turnFirst ? stores : stores.reversed() {
      store()
      betweenStores()
    }
    if position > 0 { store(RingWriter.wrapMark, at: position) }
    position = 0
  }

  private func storeFirst(_ position: Int, of segment: Int) {
    file.store(UInt64(bitPattern: Int64(position)), at: start + 8 + segment * 8)
  }

  private func store(_ word: UInt32, at index: Int) {
    file.store(word, at: start + Self.headBytes + index * 4)
  }
}
