import Glibc
import TestSupport

/// A log that comes through a pipe, as far as a test wants, and as fast as the program reads it.
final class SlowLog {
  /// The same log, with the pipe's path.
  let log: SpoolRun.Log
  private var descriptor: Int32
  private var offset = 0

  init(_ log: SpoolRun.Log, pipe path: String) throws(SupportError) {
    guard mkfifo(path, 0o600) == 0 else { throw SupportError("mkfifo \(path)", errno: errno) }
    // Opened for reading as well, so that opening doesn't wait and the reader sees no end before `finish`.
    descriptor = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC)
    var log = log
    log.path = path
    self.log = log
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  /// Writes the log to the pipe until a condition holds.
  ///
  /// - Returns: false if it never holds.
  func feed(until condition: () throws(SupportError) -> Bool) throws(SupportError) -> Bool {
    try poll(every: .milliseconds(1), until: .after(.seconds(60))) { () throws(SupportError) in
      while try !condition() {
        let rest = log.bytes[offset...].prefix(65_536)
        let count = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
        // There is no room at present, or nothing is left to write.
        if count <= 0 { return false }
        offset += count
      }
      return true
    }
  }

  /// Writes the rest of the log, and closes the pipe.
  func finish(of run: SpoolRun) throws(SupportError) {
    guard try feed(until: { offset == log.bytes.count }) else { throw SupportError("it isn't taken") }
    close(descriptor)
    descriptor = -1
    try run.waitUntilRead(log)
  }
}
