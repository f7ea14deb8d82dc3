import Glibc
import Platform
import Shipping
import Spool
import Synchronization

/// The end of an output that takes nothing more, on a thread of its own: it delivers what it has, for as long as it may
/// at the end of a run.
final class Retirement: Sendable {
  private let drainSeconds: Double
  /// Where the last entries are, until the thread takes it.
  private let outlet: Guarded<Outlet?>
  private let running: Guarded<Output?>
  private let finalReport = Guarded<OutputReport?>(nil)
  private let isHurried = Atomic(false)
  /// Whether its numbers are final.
  private let settled = ThreadEnd()
  /// Whether it has let go of what it writes to.
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

  /// The end of an output that has been handed all that it is to have.
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
      // What it has is delivered all the same, but nothing waits for its end; and nothing may take its place.
      settled.announce()
    }
  }

  /// The numbers by now; nil as long as there is no output.
  var report: OutputReport? { finalReport.withLock { $0 } ?? running.withLock { $0 }?.report }

  /// The output; nil as long as it isn't open, and once its numbers are final.
  var output: Output? { running.withLock { $0 } }

  /// Whether the numbers are final.
  var isSettled: Bool { settled.isAnnounced }

  /// Waits until the numbers are final, but no longer than this.
  func waitUntilSettled(nanoseconds: Int64) -> Bool { settled.wait(nanoseconds: nanoseconds) }

  /// Whether it has let go of what it writes to.
  var hasEnded: Bool { ended.isAnnounced }

  /// Waits until it has let go of what it writes to, but no longer than this.
  func waitForEnd(nanoseconds: Int64) -> Bool { ended.wait(nanoseconds: nanoseconds) }

  /// Gives up what couldn't even be opened.
  func hurry() { isHurried.store(true, ordering: .relaxed) }

  // MARK: The thread

  private static let stepNanoseconds: Int64 = 5_000_000
  private static let graceNanoseconds: Int64 = 1_000_000_000
  private static let drainSecondsMax = 1e9

  /// When the time is over that began now.
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

  /// The time begins when it could have been opened.
  private func waitForOpening(_ late: LateOutput) -> Output? {
    var deadline = self.deadline
    while !late.wait(nanoseconds: Self.stepNanoseconds) {
      if late.isWaitingForOthers { deadline = self.deadline }
      let left = deadline - SystemClock.steadyNanoseconds
      if isHurried.load(ordering: .relaxed) || left <= 0 { late.giveUp() }
      // It hangs in the opening.
      if left <= -Self.graceNanoseconds { return nil }
    }
    return late.output
  }

  private func finish(_ transfer: consuming Transfer, by deadline: Int64) {
    var transfer = transfer
    let output = transfer.output
    while !transfer.move(byteCountMax: .max), SystemClock.steadyNanoseconds < deadline {
      // There is no room at present.
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

  /// Refers to the output no more.
  private func release() -> Output.Remains? {
    running.withLock { output in
      defer { output = nil }
      return output?.remains
    }
  }
}

/// What is left of a route that takes nothing more.
struct RetiredRoute {
  /// The route's.
  let serial: Int
  let name: String
  let configuration: OutputConfiguration
  /// What the reading thread has counted.
  let ledger: Ledger
  let retirement: Retirement
  /// Whether its account was said.
  var isSaid = false

  /// What has become of everything so far.
  var account: Ledger {
    let isFinal = retirement.isSettled
    var account = ledger
    account.note(retirement.report, isFinal: isFinal)
    return account
  }
}
