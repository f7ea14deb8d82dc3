import Glibc
import Platform
import Spool
@testable import Shipping

/// Polls a condition that nothing announces; false if it doesn't hold within half a minute.
func eventually(_ condition: () throws -> Bool) rethrows -> Bool {
  let deadline = Moment.now().steadyNanoseconds + 30_000_000_000
  while try !condition() {
    if Moment.now().steadyNanoseconds > deadline { return false }
    var none: [pollfd] = []
    SystemCalls.poll(&none, nanoseconds: 1_000_000)
  }
  return true
}

extension Output {
  /// An output to consumers that come and go, with very short pauses between attempts.
  convenience init(
    to link: sending any Link, onRestart: RestartPolicy = .resend, header: String = "",
    pauseNanoseconds: ClosedRange<Int64>? = 1_000_000...10_000_000, said: Collected<String>
  ) throws {
    var options = LinkOptions()
    options.onRestart = onRestart
    options.content = .lines(header: Array(header.utf8))
    let sink = LinkSink(link, options, pauseNanoseconds: pauseNanoseconds) { said.append($0) }
    try self.init(to: sink)
  }
}

/// Whether a process exists and hasn't ended.
func isRunning(_ process: pid_t) -> Bool {
  guard let file = fopen("/proc/\(process)/stat", "re") else { return false }
  defer { fclose(file) }
  var line = [CChar](repeating: 0, count: 512)
  guard fgets(&line, Int32(line.count), file) != nil else { return false }
  return !String(nulTerminated: line).contains(") Z ")
}
