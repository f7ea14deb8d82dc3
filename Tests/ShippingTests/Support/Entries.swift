@testable import Platform
import SharedMemory
@testable import Shipping
@testable import Spool

extension SpoolWriter {
  /// Commits one line; false if it was dropped.
  @discardableResult
  mutating func append(_ line: String) -> Bool {
    let bytes = Array((line + "\n").utf8)
    guard case .room(let room) = reserve(bytes.count) else { return false }
    room.copyBytes(from: bytes)
    commit(bytes.count)
    return true
  }
}

extension Sink {
  /// Offers lines as a writer thread does, until all are taken.
  func take(_ lines: [String], at now: Moment = .test) throws {
    let spool = try Spool()
    var writer = spool.makeWriter()
    for line in lines { writer.append(line) }
    writer.publish()
    var reader = spool.makeReader()
    while true {
      _ = try tick(at: now)
      guard let batch = try reader.next() else { return }
      reader.take(try write(batch, at: now).byteCount)
    }
  }
}

extension Moment {
  /// 2026-11-21 12:00:00 UTC, and a steady clock that starts at one second.
  static let test = Moment(wallSeconds: 1_795_262_400, steadyNanoseconds: 1_000_000_000)

  func later(seconds: Double) -> Moment {
    Moment(
      wallSeconds: wallSeconds + Int64(seconds),
      steadyNanoseconds: steadyNanoseconds + Int64(seconds * 1e9))
  }
}

/// A list that threads append to.
final class Collected<Element: Sendable>: Sendable {
  private let elements = Guarded<[Element]>([])
  /// A copy with a storage of its own: the thread sanitizer doesn't see when a shared storage stops being
  /// shared.
  var all: [Element] { elements.withLock { $0.map { $0 } } }
  func append(_ element: Element) { elements.withLock { $0.append(element) } }
}

/// A clock that a test sets.
final class TestClock: Sendable {
  private let moment = Guarded(Moment.test)
  var now: Moment { moment.withLock { $0 } }
  func advance(seconds: Double) { moment.withLock { $0 = $0.later(seconds: seconds) } }
}

/// A repeatable sequence of random numbers (splitmix64).
struct SeededGenerator: RandomNumberGenerator {
  var state: UInt64
  init(seed: UInt64) { state = seed }
  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }
}

/// Makes chosen system calls fail, and counts the calls of each kind.
final class FaultPlan: Sendable {
  private let counts = Guarded<[SystemCalls.Call: Int]>([:])
  private let plan: @Sendable (SystemCalls.Call, Int) -> SystemCalls.Fault?

  /// - Parameter plan: Gets each call and its number among those of its kind, from 1; returns the fault, if
  ///   any.
  init(_ plan: @escaping @Sendable (SystemCalls.Call, Int) -> SystemCalls.Fault?) {
    self.plan = plan
  }

  var system: SystemCalls {
    SystemCalls { [self] call in
      let count = counts.withLock {
        $0[call, default: 0] += 1
        return $0[call, default: 0]
      }
      return plan(call, count)
    }
  }

  func count(of call: SystemCalls.Call) -> Int { counts.withLock { $0[call, default: 0] } }
}
