import DemoTraffic
import Glibc
import LogWriting
import Pipeline
import Platform
import Synchronization

/// Writes traffic at a rate that can be changed, on a thread of its own.
final class TrafficThread: Sendable {
  private let writer: LogWriter
  private let options: DemoOptions
  private let thread = WorkThread()
  private let isStopped = Atomic(false)
  /// The rate in requests per 1000 seconds.
  private let milliRate: Atomic<Int>
  private let requests = Atomic(0)
  private let hits = Atomic(0)

  init(_ writer: LogWriter, _ options: DemoOptions) {
    self.writer = writer
    self.options = options
    milliRate = Atomic(Int(options.rate * 1000))
  }

  // MARK: For other threads

  /// Starts the thread, once a reader is attached; further calls do nothing.
  ///
  /// - Returns: whether there is a thread.
  func start(_ reader: RunMonitor) -> Bool { thread.start { self.run(reader) } }

  /// Asks the thread to stop writing.
  func stop() { isStopped.store(true, ordering: .relaxed) }

  /// Stops writing, and waits for the thread's end.
  func end() {
    stop()
    thread.join()
  }

  /// The rate in requests per second.
  var rate: Double { Double(milliRate.load(ordering: .relaxed)) / 1000 }

  /// Multiplies the rate by a factor.
  func multiplyRate(by factor: Double) {
    let rate = min(max(rate * factor, 1), 1_000_000)
    milliRate.store(Int(rate * 1000), ordering: .relaxed)
  }

  /// The percentage of requests that were answered from the cache.
  var hitPercentage: Int {
    let count = requests.load(ordering: .relaxed)
    return count > 0 ? hits.load(ordering: .relaxed) * 100 / count : 0
  }

  /// The statistics of what was written to the log so far.
  var written: LogWriterStatistics { writer.statistics }

  /// How many bytes of records the reader has yet to read.
  func lagBytes(_ progress: RunMonitor.Progress) -> Int {
    let written = written
    let records = Int(written.bytes) - Int(written.writes) * Self.batchHeaderByteCount
    return max(0, records - progress.readBytes - progress.ledger.lostBytes)
  }

  /// The size of the header that this kind of log has in front of each batch of records.
  private static let batchHeaderByteCount = 8

  // MARK: The thread

  private func run(_ reader: RunMonitor) {
    var traffic = Traffic(to: writer, seed: options.seed ?? .random(in: .min ... .max))
    let begun = SystemClock.steadyNanoseconds
    let end = options.seconds.map { begun + Int64(min($0, 1e9) * 1e9) } ?? .max
    var due = begun
    while !isStopped.load(ordering: .relaxed), SystemClock.steadyNanoseconds < end {
      if let count = options.count, traffic.requestCount >= count { break }
      guard isTime(&due), !isBehind(reader) else { continue }
      traffic.request(endingAt: Int(SystemClock.wallNanoseconds / 1000))
      requests.store(traffic.requestCount, ordering: .relaxed)
      hits.store(traffic.hitCount, ordering: .relaxed)
    }
    traffic.end(at: Int(SystemClock.wallNanoseconds / 1000))
    reader.endAfterLog()
  }

  private static let sleepNanosecondsMax: Int64 = 20_000_000
  private static let delayNanosecondsMax: Int64 = 500_000_000

  /// Whether the next request is due; sleeps a while if it isn't.
  private func isTime(_ due: inout Int64) -> Bool {
    let left = due - SystemClock.steadyNanoseconds
    guard left <= 0 else {
      sleep(nanoseconds: min(left, Self.sleepNanosecondsMax))
      return false
    }
    // Visitors are independent of each other, so the gaps between them are distributed exponentially.
    let gap = -log(1 - Double.random(in: 0..<1)) / rate
    // Requests that are overdue for longer are skipped: a process that was stopped would continue with a
    // flood of them.
    due = max(due, SystemClock.steadyNanoseconds - Self.delayNanosecondsMax) + Int64(gap * 1e9)
    return true
  }

  /// Sleeps for a time, or less if the call is interrupted.
  private func sleep(nanoseconds: Int64) {
    var time = timespec(tv_sec: Int(nanoseconds / 1_000_000_000), tv_nsec: Int(nanoseconds % 1_000_000_000))
    unsafe nanosleep(&time, nil)
  }

  /// Whether the reader is so far behind that more traffic would cost some of the requested lines; if so,
  /// sleeps a while.
  ///
  /// A real cache doesn't wait for readers.
  private func isBehind(_ reader: RunMonitor) -> Bool {
    guard options.count != nil else { return false }
    let progress = reader.progress
    let isBehind =
      lagBytes(progress) > writer.options.logByteCount / 4
      || progress.waitingBytes > options.configuration.process.spoolBytes / 2
    if isBehind { sleep(nanoseconds: 2_000_000) }
    return isBehind
  }
}
