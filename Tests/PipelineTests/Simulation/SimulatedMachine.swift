import Glibc
import Platform
import TestSupport

/// The machine of a simulated run: disk, time, threads, and the kill.
///
/// Only one thread uses it.
final class SimulatedMachine: LoopDriver, @unchecked Sendable {
  private struct Loop {
    let step: () -> LoopPause
    var isOver = false
    /// The time at which the loop is to be woken; nil if it waits only for other events.
    var wake: Int64?
  }

  let clock = ScriptedClock()
  private let checkpoint: String
  private var loops: [Loop] = []
  /// Whether the process was killed, so that calls have no effect any more.
  private(set) var isDead = false
  /// The contents of the checkpoint at that moment.
  private var lastCheckpoint: [UInt8] = []
  private var kill: Scenario.Kill?
  private var callCount = 0, pointCount = 0, wordCount = 0
  private(set) var allCallCount = 0
  /// Whether a kill cuts no write: in a file that another process has truncated, nothing tells how much of
  /// the first write has arrived.
  private var tearsNothing = false
  /// The free space on the disk in bytes; nil if unlimited.
  var bytesLeft: Int?
  /// Whether waiting for outputs frees the disk.
  var freesDisk = true
  /// Whether the run waited for something that never came.
  private(set) var isStuck = false
  private var rounds = 0
  /// Calls that seem to succeed, but have no effect.
  var pretended: Set<SystemCalls.Call> = []

  init(checkpoint: String) { self.checkpoint = checkpoint }

  /// The points at which the run was killed.
  private(set) var killed: Set<FaultPoint> = []

  // MARK: Calls

  var system: SystemCalls { SystemCalls { [self] call in intercept(call) } }

  private func intercept(_ call: SystemCalls.Call) -> SystemCalls.Fault? {
    guard !isDead else { return .fail(EIO) }
    allCallCount += 1
    defer { callCount += 1 }
    switch kill {
    case .beforeCall(callCount):
      die()
      return .fail(EIO)
    case .afterCall(callCount):
      die()
      return pretended.contains(call) ? .pretend : nil
    case .withinCall(callCount, let byteCount):
      die()
      return call == .write ? .short(byteCount) : .fail(EIO)
    default: break
    }
    if pretended.contains(call) { return .pretend }
    guard call == .write, let left = bytesLeft else { return nil }
    bytesLeft = 0
    return left > 0 ? .short(left) : .fail(ENOSPC)
  }

  func pass(_ point: FaultPoint) {
    guard !isDead else { return }
    guard point != .checkpointWordStored else {
      if kill == .atWord(wordCount) { die(at: point) }
      wordCount += 1
      return
    }
    if kill == .atPoint(pointCount) { die(at: point) }
    pointCount += 1
  }

  // MARK: Killing

  /// Plans a kill, unless one is planned already.
  func plan(_ kill: Scenario.Kill) {
    guard self.kill == nil else { return }
    self.kill = kill
    if tearsNothing { tearNothing() }
    (callCount, pointCount, wordCount) = (0, 0, 0)
  }

  /// Keeps kills from cutting writes from now on.
  func tearNothing() {
    tearsNothing = true
    if case .withinCall(let count, _)? = kill { kill = .afterCall(count) }
  }

  /// Cancels the planned kill.
  func spare() { kill = nil }

  private func die(at point: FaultPoint) {
    killed.insert(point)
    die()
  }

  func die() {
    guard !isDead else { return }
    isDead = true
    kill = nil
    lastCheckpoint = (try? readFile(checkpoint)) ?? []
  }

  /// Starts the next process, with the data that the killed one had stored.
  func revive() throws {
    loops.removeAll()
    guard isDead else { return }
    isDead = false
    try overwriteFile(checkpoint, lastCheckpoint)
  }

  // MARK: Loops

  func take(_ name: String, _ step: @escaping () -> LoopPause) { loops.append(Loop(step: step)) }

  /// Runs a loop for some steps.
  func step(_ number: Int, count: Int) {
    guard !loops.isEmpty else { return }
    let index = number % loops.count
    for _ in 0..<count where !isDead && !loops[index].isOver { step(index) }
  }

  /// Runs all loops until they sleep.
  func stepAll() {
    for index in loops.indices {
      for _ in 0..<100 where !loops[index].isOver {
        if step(index) != .none { break }
      }
    }
  }

  @discardableResult
  private func step(_ index: Int) -> LoopPause {
    let pause = loops[index].step()
    loops[index].isOver = pause == .over
    return pause
  }

  func beginWaiting() { rounds = 0 }

  func goOn() -> Bool {
    stepAll()
    clock.advance(nanoseconds: 20_000_000)
    rounds += 1
    if rounds > 10, freesDisk { bytesLeft = nil }
    if rounds > 2000 { isStuck = true }
    return !isDead && !isStuck
  }
}

/// Replaces the contents of a file in place, so that its identity stays.
func overwriteFile(_ path: String, _ bytes: [UInt8]) throws {
  let descriptor = open(path, O_WRONLY)
  guard descriptor >= 0 else { throw SupportError("open \(path)", errno: errno) }
  defer { close(descriptor) }
  guard pwrite(descriptor, bytes, bytes.count, 0) == bytes.count else {
    throw SupportError("write \(path)", errno: errno)
  }
}
