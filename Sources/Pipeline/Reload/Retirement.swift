import Glibc
import Platform
import Shipping
import Spool
import Synchronization

/// The end of an output that takes no more entries, on a thread of its own: it delivers the entries that it
/// has, for at most as long as at the end of a run.
final class Retirement: Sendable {
  private let drainSeconds: Double
  /// Where the last entries are, until the thread takes it over.
  private let outlet: Guarded<Outlet?>
  private let running: Guarded<Output?>
  private let finalReport = Guarded<OutputReport?>(nil)
  private let isHurried = Atomic(false)
  /// Announced when the output's numbers are final.
  private let settled = ThreadEnd()
  /// Announced when the output has closed its target.
  private let ended = ThreadEnd()

  private struct Draining: ThreadLoop {
    let retirement: Retirement

    func run() {
      if let outlet = retirement.outlet.withLock({ $0.take() }) { retirement.drain(outlet) }
      let remains = retirement.release()
      retirement.settled.announce()
      // A thread that hangs in its sink was left behind, and may still have a file open.
      while remains?.areGone == false { usleep(UInt32(Retirement.stepNanoseconds / 1000)) }
      retirement.ended.announce()
    }
  }

  /// Ends an output that has been handed all its entries.
  init(_ outlet: consuming sending Outlet, drainSeconds: Double) {
    self.drainSeconds = drainSeconds
    running = Guarded(outlet.output)
    self.outlet = Guarded(outlet)
  }

  /// Starts the thread.
  func begin() {
    do throws(Errno) {
      pthread_detach(try WorkerThread.start(Draining(retirement: self)))
    } catch {
      // Without a thread, the output still delivers its entries, but nothing waits for its end, and no output
      // can take its place.
      settled.announce()
    }
  }

  /// The output's numbers by now; nil as long as the output isn't open.
  var report: OutputReport? { finalReport.withLock { $0 } ?? running.withLock { $0 }?.report }

  /// The output; nil as long as it isn't open, and once its numbers are final.
  var output: Output? { running.withLock { $0 } }

  /// Whether the numbers are final.
  var isSettled: Bool { settled.isAnnounced }

  /// Waits until the numbers are final, but no longer than the time given.
  func waitUntilSettled(nanoseconds: Int64) -> Bool { settled.wait(nanoseconds: nanoseconds) }

  /// Whether the output has closed its target.
  var hasEnded: Bool { ended.isAnnounced }

  /// Waits until the output has closed its target, but no longer than the time given.
  func waitForEnd(nanoseconds: Int64) -> Bool { ended.wait(nanoseconds: nanoseconds) }

  /// Gives up opening the output, if it isn't open yet.
  func hurry() { isHurried.store(true, ordering: .relaxed) }

  // MARK: The thread

  private static let stepNanoseconds: Int64 = 5_000_000
  private static let graceNanoseconds: Int64 = 1_000_000_000
  private static let drainSecondsMax = 1e9

  /// When the drain time is over, if it begins now.
  private var deadline: Int64 {
    SystemClock.steadyNanoseconds + Int64(min(max(0, drainSeconds), Self.drainSecondsMax) * 1e9)
  }

  private func drain(_ outlet: consuming Outlet) {
    switch consume outlet {
    case .open(let output): finish(output, by: deadline)
    case .catchingUp(let transfer): finish(transfer, by: deadline)
    case .late(let late):
      guard let output = waitForOpening(late) else {
        settled.announce()
        late.end()
        return
      }
      running.withLock { $0 = output }
      if late.needsTransfer {
        finish(Transfer(from: late.spool, to: output), by: deadline)
      } else {
        finish(output, by: deadline)
      }
    }
  }

  /// Waits until the output is open; the drain time begins when the outputs that must end before have ended.
  private func waitForOpening(_ late: LateOutput) -> Output? {
    var deadline = self.deadline
    while !late.wait(nanoseconds: Self.stepNanoseconds) {
      if late.isWaitingForOthers { deadline = self.deadline }
      let left = deadline - SystemClock.steadyNanoseconds
      if isHurried.load(ordering: .relaxed) || left <= 0 { late.giveUp() }
      // The opening hangs.
      if left <= -Self.graceNanoseconds { return nil }
    }
    return late.output
  }

  private func finish(_ transfer: consuming Transfer, by deadline: Int64) {
    var transfer = transfer
    let output = transfer.output
    while !transfer.move(byteCountMax: .max), SystemClock.steadyNanoseconds < deadline {
      // The output's spool has no room at present.
      usleep(UInt32(Self.stepNanoseconds / 1000))
    }
    var writer = transfer.finish()
    writer.finish()
    finish(output, by: deadline)
  }

  private func finish(_ output: Output, by deadline: Int64) {
    output.finish()
    let left = Double(max(0, deadline - SystemClock.steadyNanoseconds)) / 1e9
    let report = output.join(drainSeconds: left)
    finalReport.withLock { $0 = report }
  }

  /// Drops the reference to the output.
  private func release() -> Output.Remains? {
    running.withLock { output in
      defer { output = nil }
      return output?.remains
    }
  }
}

/// What is left of a route that takes nothing more.
struct RetiredRoute {
  /// The route's number.
  let serial: Int
  let name: String
  let configuration: OutputConfiguration
  /// What the reading thread has counted.
  let ledger: Ledger
  let retirement: Retirement
  /// Whether its account was reported.
  var isSaid = false

  /// The route's account so far, with the output's numbers.
  var account: Ledger {
    let isFinal = retirement.isSettled
    var account = ledger
    account.note(retirement.report, isFinal: isFinal)
    return account
  }
}
