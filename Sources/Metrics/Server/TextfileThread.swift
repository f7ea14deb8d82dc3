import Glibc
import Platform
import Shipping

/// Writes metrics to a file periodically, on a thread of its own, as writing may hang in the file system.
final class TextfileThread: Sendable {
  private struct Loop: ThreadLoop, ~Copyable {
    let file: Textfile
    var collector: MetricsCollector
    let periodNanoseconds: Int64
    let owner: Signals
    let warn: @Sendable (String) -> Void
    var trouble = Trouble<String>()

    mutating func run() {
      while true {
        let isOver = owner.stop.wait(nanoseconds: periodNanoseconds)
        write()
        if isOver { break }
      }
      owner.ended.signal()
    }

    private mutating func write() {
      do throws(SystemError) {
        try file.write(collector.exposition(.text))
        if trouble.end() != nil { warn("\(file.path): metrics are written again") }
      } catch {
        if trouble.begin(error.description) { warn("metrics: \(error)") }
      }
    }
  }

  private struct Signals: Sendable {
    let stop = WakeSignal()
    let ended = WakeSignal()
  }

  private let signals = Signals()

  /// Begins to write the file.
  init(
    _ file: Textfile, _ collector: consuming MetricsCollector, periodNanoseconds: Int64,
    warn: @escaping @Sendable (String) -> Void
  ) throws(Errno) {
    let loop = Loop(
      file: file, collector: collector, periodNanoseconds: periodNanoseconds, owner: signals, warn: warn)
    pthread_detach(try WorkerThread.start(loop))
  }

  /// How long to wait for the last write.
  private static let patienceNanoseconds: Int64 = 5_000_000_000

  /// Writes the file once more, and ends the thread.
  func end() {
    signals.stop.signal()
    signals.ended.wait(nanoseconds: Self.patienceNanoseconds)
  }
}
