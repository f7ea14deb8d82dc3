import Glibc
import Platform
import Shipping
import Spool
import Synchronization

/// An output that can't be opened before other outputs with the same file, directory or receiver have ended.
///
/// Its entries wait in memory meanwhile. A thread waits for the other outputs to end and then tries to open
/// this one until it succeeds.
final class LateOutput: Sendable {
  /// Where entries wait.
  let spool: Spool
  private let configuration: OutputConfiguration
  private let content: EntryContent
  private let spoolBytes: Int
  private let appends: Bool
  private let opener: OutputOpener
  private let opened = Guarded<Output?>(nil)
  private let waitsForOthers = Atomic(true)
  private let opening = ThreadEnd()

  /// A late output whose spool takes entries from now on.
  ///
  /// - Throws: `RunError` if there is no memory for them.
  init(
    _ configuration: OutputConfiguration, content: EntryContent, spoolBytes: Int, appends: Bool,
    _ opener: OutputOpener
  ) throws(RunError) {
    self.configuration = configuration
    self.content = content
    self.spoolBytes = spoolBytes
    self.appends = appends
    self.opener = opener
    spool = try opener.openSpool(
      configuration, content, limitBytes: spoolBytes, usesDisk: false)
  }

  /// Starts the thread that waits for the outputs that must end before.
  ///
  /// If the thread can't be started, the entries that wait are given up at the end, and counted.
  func begin(after others: [Retirement]) {
    do throws(Errno) {
      pthread_detach(try WorkerThread.start(Opening(late: self, others: others)))
    } catch {
      opener.messages.say("\(configuration.displayName): no thread to open it: \(error)")
      opening.announce()
    }
  }

  /// The output, once it is open.
  var output: Output? { opening.isAnnounced ? opened.withLock { $0 } : nil }

  /// Whether outputs that must end before haven't ended yet.
  var isWaitingForOthers: Bool { waitsForOthers.load(ordering: .relaxed) }

  /// Whether waiting entries must move into another spool, which has a directory.
  var needsTransfer: Bool { configuration.spoolDirectory != nil }

  /// Waits until the output is open, or has been given up, but no longer than the time given.
  func wait(nanoseconds: Int64) -> Bool { opening.wait(nanoseconds: nanoseconds) }

  /// Gives up opening the output, if it isn't open yet.
  func giveUp() { opening.request() }

  /// Waits until the opening is over, however long that takes, and ends the output if it was opened all the
  /// same.
  func end() {
    while !wait(nanoseconds: Self.stepNanoseconds) {}
    guard let output else { return }
    output.finish()
    _ = output.join(drainSeconds: 0)
  }

  private struct Opening: ThreadLoop {
    let late: LateOutput
    let others: [Retirement]

    func run() {
      late.open(after: others)
      late.opening.announce()
    }
  }

  /// How long one step of waiting takes, and so how late giving up is noticed.
  private static let stepNanoseconds: Int64 = 20_000_000
  private static let restNanoseconds: ClosedRange<Int64> = 100_000_000...5_000_000_000

  private func open(after others: [Retirement]) {
    for other in others {
      while !other.waitForEnd(nanoseconds: Self.stepNanoseconds) { if opening.isRequested { return } }
    }
    waitsForOthers.store(false, ordering: .relaxed)
    var trouble = Trouble<String>()
    var rests = Backoff(nanoseconds: Self.restNanoseconds)
    while !opening.isRequested {
      do throws(RunError) {
        let output = try open()
        opened.withLock { $0 = output }
        if let seconds = trouble.end() {
          opener.messages.say("\(configuration.displayName): works after \(seconds) s")
        }
        return
      } catch {
        if trouble.begin("\(error)") {
          opener.messages.say("\(configuration.displayName): \(error); it is tried again until it works")
        }
      }
      let deadline = SystemClock.steadyNanoseconds + rests.next()
      while !opening.isRequested, SystemClock.steadyNanoseconds < deadline {
        _ = opening.wait(nanoseconds: Self.stepNanoseconds)
      }
    }
  }

  private func open() throws(RunError) -> Output {
    let sink = try opener.openSink(configuration, content, appends: appends)
    guard needsTransfer else { return try opener.begin(configuration, sink, spool) }
    return try opener.begin(
      configuration, sink, try opener.openSpool(configuration, content, limitBytes: spoolBytes))
  }
}
