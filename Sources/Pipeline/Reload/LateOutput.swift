import Glibc
import Platform
import Shipping
import Spool
import Synchronization

/// An output that can't be opened before others have ended that have the same file, directory or receiver.
///
/// What is to be written meanwhile waits in memory. A thread waits for the others and then opens the output, as often as
/// it takes.
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

  /// An output whose entries can be taken from now on.
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

  /// Begins to wait for those that must have ended before.
  ///
  /// Without a thread for that, what waits is given up at the end, and counted.
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

  /// Whether others haven't ended that must have.
  var isWaitingForOthers: Bool { waitsForOthers.load(ordering: .relaxed) }

  /// Whether what has waited must move into a spool of its own, that with the directory.
  var needsTransfer: Bool { configuration.spoolDirectory != nil }

  /// Waits until the output is open, or has been given up, but no longer than this.
  func wait(nanoseconds: Int64) -> Bool { opening.wait(nanoseconds: nanoseconds) }

  /// Opens the output no more, if it isn't open.
  func giveUp() { opening.request() }

  /// Waits until it isn't being opened any more, however long that takes, and ends it if it was opened all the same.
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

  /// How long one step of waiting takes; within that time it is noticed that nothing more is to be opened.
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
