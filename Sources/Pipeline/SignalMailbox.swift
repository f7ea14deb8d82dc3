import CShims
import Glibc
import Platform

/// The mailbox of a process: signals, which are blocked and read from a file descriptor.
final class SignalMailbox: Mailbox {
  let descriptor: Int32
  /// Commands that came in while only those that end the run were taken.
  private var postponed: [Command] = []

  /// Blocks the signals, in this thread and in threads that are started later.
  ///
  /// - Parameter ticks: whether `beginTicking` will be called; only then is SIGALRM one of the signals.
  init(ticks: Bool = false) throws(SystemError) {
    let signals = [SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2] + (ticks ? [SIGALRM] : [])
    descriptor = unsafe shim_signal_descriptor(signals, Int32(signals.count))
    guard descriptor >= 0 else {
      throw SystemError(operation: "set up", path: "signals")
    }
    // Writing to a consumer that is gone is an error of the output, and doesn't end the process.
    signal(SIGPIPE, SIG_IGN)
  }

  deinit {
    var none = itimerval()
    unsafe setitimer(__itimer_which_t(ITIMER_REAL.rawValue), &none, nil)
    close(descriptor)
  }

  func next() -> Command? { postponed.isEmpty ? read() : postponed.removeFirst() }

  func takeEnds(where ends: (Command) -> Bool) -> Bool {
    var hasEnd = false
    while let command = read() {
      if ends(command) { hasEnd = true } else { postponed.append(command) }
    }
    return hasEnd
  }

  private func read() -> Command? {
    while true {
      switch shim_read_signal(descriptor) {
      case SIGINT, SIGTERM: return .end
      case SIGHUP: return .hangup
      case SIGUSR1: return .flush
      case SIGUSR2: return .report
      // A tick: its purpose was to end a wait.
      case SIGALRM: continue
      default: return nil
      }
    }
  }

  /// Starts a timer that sends a signal: some callers wait for nothing but the signal descriptor.
  func beginTicking(nanoseconds: Int64) {
    let interval = timeval(
      tv_sec: time_t(nanoseconds / 1_000_000_000), tv_usec: suseconds_t(nanoseconds / 1000 % 1_000_000))
    var timer = itimerval(it_interval: interval, it_value: interval)
    unsafe setitimer(__itimer_which_t(ITIMER_REAL.rawValue), &timer, nil)
  }

  func wait(milliseconds: Int32, or other: Int32?) -> Bool {
    if !postponed.isEmpty { return true }
    var requests = [pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)]
    if let other { requests.append(pollfd(fd: other, events: Int16(POLLIN), revents: 0)) }
    _ = unsafe poll(&requests, nfds_t(requests.count), milliseconds)
    return requests[0].revents != 0
  }
}
