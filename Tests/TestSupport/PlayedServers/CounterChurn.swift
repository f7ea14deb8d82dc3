import Glibc
import Synchronization

/// A server that creates and removes sections of counters all the time, and what a reader may see of them.
///
/// Each place in the file alternates between sections of two names. Reusing a place at once is the worst case
/// for a reader: real servers wait. All values are `CheckedCounters`; each life of a section has its own
/// number.
public final class CounterChurn: Sendable {
  /// How long the churn goes on and how often each event happens, counted in lives of sections.
  public struct Plan: Sendable {
    var lives: UInt32, workerEvery: UInt32, serverEvery: UInt32, lookEvery: UInt32

    /// - Parameters:
    ///   - lives: how many sections are made, one after the other.
    ///   - workerEvery: after how many lives the worker is replaced.
    ///   - serverEvery: after how many lives the whole server is replaced instead.
    ///   - lookEvery: after how many lives to wait until a reader has looked.
    public init(lives: UInt32, workerEvery: UInt32, serverEvery: UInt32 = .max, lookEvery: UInt32) {
      (self.lives, self.workerEvery) = (lives, workerEvery)
      (self.serverEvery, self.lookEvery) = (serverEvery, lookEvery)
    }
  }

  private final class Count: Sendable {
    let value = Atomic<UInt32>(0)
  }

  private static let slotCount = 6
  /// How many counters each section has.
  public static let counterCount = 8

  private let plan: Plan
  private let server: CounterServer
  /// For each name, the last life that has been removed.
  private let ended = (0..<slotCount * 2).map { _ in Count() }
  private let looks = Atomic<UInt32>(0), hasEnded = Atomic(false)
  private let trouble = Monitor<String?>(nil)

  /// Starts the churn on a thread of its own.
  public init(_ plan: Plan) throws(SupportError) {
    self.plan = plan
    server = try CounterServer(slotCount: Self.slotCount, counterCount: Self.counterCount)
    detachThread {
      do {
        try self.run()
      } catch {
        self.trouble.withLock { $0 = "\(error)" }
      }
      self.hasEnded.store(true, ordering: .releasing)
    }
  }

  /// The argument for `-n`.
  public var path: String { server.path }
  /// Whether the churn has finished.
  public var isOver: Bool { hasEnded.load(ordering: .acquiring) }
  /// What went wrong with the server; nil if nothing has.
  public var failure: String? { trouble.withLock { $0 } }
  /// How often a reader has looked.
  public var lookCount: UInt32 { looks.load(ordering: .relaxed) }

  /// For each name, `SET.0` first, the last life that has ended: a reader that starts looking now mustn't see
  /// it.
  public var endedLives: [UInt32] { ended.map { $0.value.load(ordering: .acquiring) } }

  /// Notes that a reader has looked; the reader calls this.
  public func noteLook() { looks.add(1, ordering: .releasing) }

  private func awaitLook() {
    let (before, deadline) = (looks.load(ordering: .acquiring), Deadline.after(.seconds(10)))
    while looks.load(ordering: .acquiring) == before, !deadline.hasPassed { usleep(100) }
  }

  private func run() throws {
    var random = SeededGenerator(seed: 15)
    var taken = [Int?](repeating: nil, count: Self.slotCount)
    for life in 1...plan.lives {
      if life % plan.serverEvery == 0 {
        server.stop()
        try server.start()
        end(&taken, before: life)
      } else if life % plan.workerEvery == 0 {
        try server.startWorker()
        end(&taken, before: life)
      }
      let slot = Int.random(in: 0..<Self.slotCount, using: &random)
      if let name = taken[slot] {
        try server.remove(slot)
        ended[name].value.store(life - 1, ordering: .releasing)
      }
      let name = slot * 2 + Int.random(in: 0...1, using: &random)
      try server.add("SET.\(name)", in: slot, [])
      taken[slot] = name
      if life % plan.lookEvery == 0 { awaitLook() }
      for change in UInt16(1)...4 {
        server.set(
          slot,
          (0..<Self.counterCount).map {
            CheckedCounters.value("SET.\(name)", $0, life: life, count: change)
          })
      }
    }
  }

  /// Notes that all sections have ended; called only when the new server or worker is there, as until then a
  /// reader may rightly see them.
  private func end(_ taken: inout [Int?], before life: UInt32) {
    for (slot, name) in taken.enumerated() {
      if let name { ended[name].value.store(life - 1, ordering: .releasing) }
      taken[slot] = nil
    }
  }
}
