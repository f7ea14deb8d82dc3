import LogWriting
import Glibc
import TestSupport
import Testing

/// The ring's protocol in small rings, with every order that stores and loads can have.
///
/// `SPILLWAY_MODEL_PIECES` makes the search larger.
struct RingModelTests {
  private static let more = getenv("SPILLWAY_MODEL_PIECES").flatMap { Int(String(cString: $0)) } ?? 0

  /// Pieces of several sizes, more than fit into two turns of a ring of 32 words.
  private static func sizes(_ count: Int) -> [Int] {
    let pattern = [3, 4, -4, 3, 4, 3]
    return (0..<count).map { pattern[$0 % pattern.count] }
  }

  @Test(arguments: [(threads: 1, pieces: 15, reorders: true), (threads: 2, pieces: 7, reorders: false)])
  func `no order of events hands out what wasn't written in one piece`(
    threads: Int, pieces: Int, reorders: Bool
  ) {
    let log = ModelLog(eighthWords: 4, sizes: Self.sizes(pieces + Self.more))
    var explorer = RingExplorer(log: log, threadCount: threads)
    explorer.reorders = reorders
    let findings = explorer.explore()
    #expect(findings.violation == nil)
    // The search covered the interesting cases: the reader was lapped, waited and read, and threads blocked
    // each other.
    #expect(findings.deliveredCount > pieces && findings.idleCount > pieces)
    #expect(findings.unfinishedMax == threads)
    #expect(findings.overrunCount > 0 || pieces < 15)
    print("\(threads) threads, \(log.pieces.count) pieces: \(findings.stateCount) states")
  }

  /// Mistakes in the order of stores, which the search must find.
  enum Mistake: CaseIterable {
    case headerFirst, noEndMark, numberBeforePlace, wrapMarkBeforeEnd, noFenceBehindMark, wordsWithoutOrder
  }

  @Test(arguments: Mistake.allCases)
  func `each store's place in the order is needed`(mistake: Mistake) {
    var log = ModelLog(eighthWords: 4, sizes: Self.sizes(20))
    for index in log.pieces.indices { Self.make(mistake, in: &log.pieces[index], of: log.eighthWords) }
    let findings = RingExplorer(log: log, threadCount: 1).explore()
    #expect(findings.violation != nil)
  }

  @Test func `a thread that was stopped is waited for, or it writes over others`() {
    // Large enough for the second thread to come round.
    let log = ModelLog(eighthWords: 4, sizes: Self.sizes(14))
    var explorer = RingExplorer(log: log, threadCount: 2)
    explorer.respectsPins = false
    explorer.reorders = false
    #expect(explorer.explore().violation != nil)
  }

  private static func make(_ mistake: Mistake, in piece: inout ModelPiece, of eighthWords: Int) {
    let locked = Array(piece.stores[..<piece.lockedCount])
    let rest = Array(piece.stores[piece.lockedCount...])
    let start = piece.reservation.start
    let end = start + piece.words.count
    switch mistake {
    case .headerFirst: piece.stores = locked + [rest[rest.count - 1]] + rest.dropLast()
    case .noEndMark:
      piece.stores.removeAll { $0 == .word(0xFE45_4545, at: end, releasing: false) }
      piece.lockedCount -= 1
    case .numberBeforePlace:
      let places = locked.filter { if case .firstRecord = $0 { true } else { false } }
      piece.stores = locked.filter { !places.contains($0) } + places + rest
    case .wrapMarkBeforeEnd:
      guard piece.reservation.wrapped else { return }
      // Both end marks, at the beginning and behind the record, are stored too late.
      let ends = locked.filter { if case .word(0xFE45_4545, _, _) = $0 { true } else { false } }
      piece.stores = locked.filter { !ends.contains($0) } + ends + rest
    case .noFenceBehindMark:
      piece.stores = piece.stores.map { store in
        if case .word(0xFE57_5757, let at, _) = store { return .word(0xFE57_5757, at: at, releasing: false) }
        return store
      }
    case .wordsWithoutOrder:
      piece.stores = piece.stores.map { store in
        if case .word(let value, let at, true) = store { return .word(value, at: at, releasing: false) }
        return store
      }
    }
  }
}
