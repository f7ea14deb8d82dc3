import VarnishLog
import Glibc
public import LogWriting
import TestSupport

/// Threads that write to a log at the same time.
public enum WriterThreads {
  /// Writes the transactions of a range, divided among threads, and waits until all are written.
  public static func write(_ numbers: Range<UInt64>, threads: Int, to writer: LogWriter) {
    let finished = Monitor(0)
    for index in 0..<threads {
      start {
        var transaction = writer.transaction(0, .client)
        var number = numbers.lowerBound + UInt64(index)
        while number < numbers.upperBound {
          Traffic.write(number, to: &transaction, of: writer)
          number += UInt64(threads)
        }
        finished.withLock { $0 += 1 }
      }
    }
    _ = finished.wait(until: .after(.seconds(3600))) { $0 == threads ? true : nil }
  }

  /// Writes transactions until the process ends; each thread uses its own ascending numbers.
  public static func flood(_ writer: LogWriter, threads: Int) {
    for index in 0..<threads {
      start {
        var transaction = writer.transaction(0, .client)
        var number = UInt64(index)
        while true {
          Traffic.write(number, to: &transaction, of: writer)
          number += UInt64(threads)
        }
      }
    }
  }

  /// Starts a detached thread.
  public static func start(_ body: @escaping @Sendable () -> Void) {
    final class Box {
      let body: @Sendable () -> Void
      init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }
    var thread = pthread_t()
    let context = Unmanaged.passRetained(Box(body)).toOpaque()
    let status = pthread_create(
      &thread, nil,
      { context in
        guard let context else { return nil }
        Unmanaged<Box>.fromOpaque(context).takeRetainedValue().body()
        return nil
      }, context)
    precondition(status == 0, "no thread: \(String(cString: strerror(status)))")
    pthread_detach(thread)
  }
}
