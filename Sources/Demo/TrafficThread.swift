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
  /// Requests in a thousand seconds.
  private let milliRate: Atomic<Int>
  private let requests = Atomic(0)
  private let hits = Atomic(0)

  init(_ writer: LogWriter, _ options: DemoOptions) {
    self.writer = writer
    self.options = options
    milliRate = Atomic(Int(options.rate * 1000))
  }

  // MARK: For other threads

  /// Begins, once a reader is attached; further calls do nothing.
  ///
  /// - Returns: whether there is a thread.
  func start(_ reader: RunMonitor) -> Bool { thread.start { self.run(reader) } }

  /// Says that enough has been written.
  func stop() { isStopped.store(true, ordering: .relaxed) }

  /// Stops, and waits for the thread.
  func end() {
    stop()
    thread.join()
  }

  /// How many requests a second there are.
  var rate: Double { Double(milliRate.load(ordering: .relaxed)) / 1000 }

  /// Makes the traffic so many times faster.
  func multiplyRate(by factor: Double) {
    let rate = min(max(rate * factor, 1), 1_000_000)
    milliRate.store(Int(rate * 1000), ordering: .relaxed)
  }

  /// Of a hundred requests, those that were answered from the cache.
  var hitPercentage: Int {
    let count = requests.load(ordering: .relaxed)
    return count > 0 ? hits.load(ordering: .relaxed) * 100 / count : 0
  }

  /// What the log has had so far.
  var written: LogWriterStatistics { writer.statistics }

  /// How many bytes of records the reader has yet to read.
  func lagBytes(_ progress: RunMonitor.Progress) -> Int {
    let written = written
    let records = Int(written.bytes) - Int(written.writes) * Self.batchHeaderByteCount
    return max(0, records - progress.readBytes - progress.ledger.lostBytes)
  }

  /// What this kind of log has in front of every piece that is written at once.
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
    // Visitors don't wait for each other: gaps between them are short more often than long.
    let gap = -log(1 - Double.random(in: 0..<1)) / rate
    // What couldn't be done in time is not made up for, or a process that was stopped would go on with a flood.
    due = max(due, SystemClock.steadyNanoseconds - Self.delayNanosecondsMax) + Int64(gap * 1e9)
    return true
  }

  /// Sleeps so long, or less if something interrupts it.
  private func sleep(nanoseconds: Int64) {
    var time = timespec(tv_sec: Int(nanoseconds / 1_000_000_000), tv_nsec: Int(nanoseconds % 1_000_000_000))
    unsafe nanosleep(&time, nil)
  }

  /// Whether more would cost lines that were promised, and so has to wait; a real cache doesn't.
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
