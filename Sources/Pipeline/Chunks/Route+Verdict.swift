import Platform
import Rendering
import Spool

/// Taking what another thread has rendered of transactions.
extension Route {
  /// Whether a transaction is wanted; it is counted if not.
  mutating func admits(_ verdict: Verdict, _ vxid: UInt64, firstPlace: UInt64, _ clock: RunClock) -> Bool {
    admits(1, firstPlace: firstPlace, vxid, clock) { _ in verdict.kind != .unwanted }
  }

  /// Copies a line into the spool.
  mutating func take(_ verdict: Verdict, _ line: UnsafeRawBufferPointer) -> Outcome {
    let result = unsafe verdict.kind == .line ? keep(line) : .nothing
    noteLengths(verdict, isKept: result == .kept)
    return count(result)
  }

  private mutating func keep(_ line: UnsafeRawBufferPointer) -> RenderResult {
    guard case .room(let room) = writer.reserve(line.count) else { return .full }
    unsafe room.copyMemory(from: line)
    writer.commit(line.count, marks.next)
    return .kept
  }

  /// Counts a value that was probably cut, unless the log has shown a longer one.
  private mutating func noteLengths(_ verdict: Verdict, isKept: Bool) {
    switch shown {
    case .lines(let maker)?:
      if verdict.hasCutValue, isKept, !maker.value.composer.hasSeenLongerValue { ledger.truncated += 1 }
      if verdict.hasLongerValue { maker.value.composer.noteLongerValue() }
    default: break
    }
  }
}
