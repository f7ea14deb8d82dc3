import Glibc
@testable import Platform
@testable import Shipping
@testable import Spool
import Testing

/// A spool on disk with a checkpoint, killed at any system call: every entry comes once and in order, as long
/// as the log has the entries that are neither settled nor on disk.
@Suite struct SpoolResumeTests {
  /// An action on a run.
  enum Step {
    case produce(Int)
    case forget
    case deliver(bytes: Int, count: Int)
    case flush
    case rest
    /// Stores entries that have waited for long: a part of those present, or all of them.
    case keepUp(isAll: Bool)
    case spill(Int)
    /// Stores all entries while the consumer takes some, from the n-th system call on.
    case keepUpWhileDelivering(call: Int, count: Int)
    case end
    case kill(Fate)
    /// Kills the process before the n-th system call of a step.
    case killInDelivery(call: Int, Fate)
    case killInKeepUp(call: Int, Fate)
    case killInEnd(call: Int, Fate)

    static func random(using generator: inout SeededGenerator) -> Step {
      func number(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &generator) }
      switch number(0...27) {
      case 0...5: return .produce(number(1...40))
      case 6...8: return .forget
      case 9...13: return .deliver(bytes: number(1...5000), count: number(1...3))
      case 14: return .flush
      case 15: return .rest
      case 16...18: return .keepUp(isAll: number(0...3) > 0)
      case 19: return .spill(number(1...3))
      case 20, 21: return .keepUpWhileDelivering(call: number(1...8), count: number(1...4))
      case 22: return .end
      case 23: return .kill(.random(using: &generator))
      case 24, 25: return .killInDelivery(call: number(1...5), .random(using: &generator))
      case 26: return .killInKeepUp(call: number(1...20), .random(using: &generator))
      default: return .killInEnd(call: number(1...30), .random(using: &generator))
      }
    }
  }

  /// What happens to the files that a kill has left.
  struct Fate {
    /// The copy of the output's part in the checkpoint that gets damaged.
    var damagedCopy: Int?
    /// The next run is killed as well, before this many system calls of its beginning.
    var secondCall: Int?

    static func random(using generator: inout SeededGenerator) -> Fate {
      func number(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &generator) }
      return Fate(
        damagedCopy: number(0...3) == 0 ? number(0...1) : nil,
        secondCall: number(0...2) == 0 ? number(1...25) : nil)
    }
  }

  /// Plays steps one after the other.
  private final class Player {
    private let hook = CallHook()
    private let kind: ResumedRun.Kind
    private let diskBytes: Int, memoryBlocks: Int
    private var places = ResumedPlaces()
    private var run: ResumedRun

    init(_ kind: ResumedRun.Kind, diskBytes: Int, memoryBlocks: Int) throws {
      (self.kind, self.diskBytes, self.memoryBlocks) = (kind, diskBytes, memoryBlocks)
      run = try ResumedRun(
        places, kind, memoryBlocks: memoryBlocks, diskBytes: diskBytes, hook.system)
    }

    func perform(_ step: Step) throws {
      switch step {
      case .produce(let count): run.produce(count)
      case .forget: run.forget()
      case .deliver(let bytes, let count): for _ in 0..<count { try run.deliver(bytes) }
      case .flush:
        try run.flush()
        run.takeOver()
      case .rest: run.rest()
      case .keepUp(let isAll): try keepUp(isAll: isAll)
      case .spill(let count): for _ in 0..<count { try run.spill() }
      case .keepUpWhileDelivering(let call, let count):
        var failure: (any Error)?
        hook.arm(at: call) {
          do {
            for _ in 0..<count { try self.run.deliver(3000) }
            // If memory was freed too early, this overwrites it.
            self.run.produce(20)
          } catch {
            failure = error
          }
        }
        try keepUp(isAll: true)
        hook.disarm()
        if let failure { throw failure }
      case .end:
        try run.end()
        try beginAgain(Fate())
      case .kill(let fate): try beginAgain(fate)
      case .killInDelivery(let call, let fate):
        try kill(at: call, fate) { for _ in 0..<3 { try self.run.deliver(2000) } }
      case .killInKeepUp(let call, let fate): try kill(at: call, fate) { try self.keepUp(isAll: true) }
      case .killInEnd(let call, let fate): try kill(at: call, fate) { try self.run.end() }
      }
    }

    private func keepUp(isAll: Bool) throws {
      // The producer leaves its block at its next check, and then that block is stored as well.
      try run.keepUp(before: isAll ? .max : run.endSequence - 30)
      run.produce(1)
      try run.keepUp(before: isAll ? .max : run.endSequence - 30)
    }

    private func kill(at call: Int, _ fate: Fate, _ action: () throws -> Void) throws {
      var left: ResumedPlaces?
      hook.arm(at: call) { left = self.places.copy() }
      try action()
      hook.disarm()
      if let left { places = left }
      try beginAgain(fate)
    }

    private func beginAgain(_ fate: Fate) throws {
      places = places.copy()
      if let copy = fate.damagedCopy { places.damageCheckpoint(copy: copy) }
      if let call = fate.secondCall {
        var left: ResumedPlaces?
        hook.arm(at: call) { left = self.places.copy() }
        run = try ResumedRun(places, kind, memoryBlocks: memoryBlocks, diskBytes: diskBytes, hook.system)
        hook.disarm()
        guard let left else { return }
        places = left
      }
      run = try ResumedRun(places, kind, memoryBlocks: memoryBlocks, diskBytes: diskBytes, hook.system)
    }

    /// Ends the run properly, and checks the result.
    func finish() throws {
      run.produce(100)
      try run.drain()
      let numbers = try ResumedRun.numbers(places)
      // The disk may have had more entries than have been read of the log again.
      guard numbers == Array(0..<max(run.next, numbers.count)) else {
        let place = numbers.indices.first { numbers[$0] != $0 } ?? numbers.count
        let lost = Set(0..<run.next).subtracting(numbers).count
        throw ModelFailure(
          "from \(place) on \(numbers[place...].prefix(3)), \(lost) lost, \(numbers.count + lost - run.next) twice"
        )
      }
      let left = run.spool.usage.diskBytes
      guard left == 0 else { throw ModelFailure("\(left) bytes on disk when all has come") }
      if let lost = run.warnings.all.first(where: { $0.contains("lost") }) { throw ModelFailure(lost) }
    }
  }

  private static func failure(
    _ steps: [Step], _ kind: ResumedRun.Kind, diskBytes: Int, memoryBlocks: Int
  ) -> String? {
    do {
      let player = try Player(kind, diskBytes: diskBytes, memoryBlocks: memoryBlocks)
      for (index, step) in steps.enumerated() {
        do {
          try player.perform(step)
        } catch {
          return "step \(index), \(step): \(error)"
        }
      }
      try player.finish()
      return nil
    } catch {
      return "\(error)"
    }
  }

  /// The value of an environment variable: `SPILLWAY_SPOOL_SCENARIOS` sets the number of scenarios,
  /// `SPILLWAY_SPOOL_SEED` the first seed.
  private static func number(_ variable: String, _ usual: UInt64) -> UInt64 {
    getenv(variable).flatMap { UInt64(String(cString: $0)) } ?? usual
  }

  @Test(arguments: ResumedRun.Kind.allCases)
  func `whenever it is killed every entry comes once`(kind: ResumedRun.Kind) {
    let first = Self.number("SPILLWAY_SPOOL_SEED", 1)
    for seed in first..<first + Self.number("SPILLWAY_SPOOL_SCENARIOS", 150) {
      var generator = SeededGenerator(seed: seed)
      let diskBytes = [24 << 10, 96 << 10, 1 << 30].randomElement(using: &generator) ?? 0
      let memoryBlocks = Int.random(in: 5...20, using: &generator)
      let count = Int.random(in: 5...80, using: &generator)
      var steps = (0..<count).map { _ in Step.random(using: &generator) }
      guard var failure = Self.failure(steps, kind, diskBytes: diskBytes, memoryBlocks: memoryBlocks) else {
        continue
      }
      var index = 0
      while index < steps.count {
        var fewer = steps
        fewer.remove(at: index)
        if let other = Self.failure(fewer, kind, diskBytes: diskBytes, memoryBlocks: memoryBlocks) {
          (steps, failure) = (fewer, other)
        } else {
          index += 1
        }
      }
      let list = steps.map { "  .\($0)," }.joined(separator: "\n")
      Issue.record("seed \(seed), \(diskBytes) bytes of disk, \(memoryBlocks) blocks: \(failure)\n\(list)")
      return
    }
  }
}
