import CShims
package import Glibc

/// A process that goes on in the background, and the one that has started it and waits until it is ready.
package struct Daemon: ~Copyable {
  private let readyDescriptor: Int32
  /// Where messages go until it is ready: a copy of standard error, which no command that it starts inherits.
  private let errorDescriptor: Int32
  private let program: String

  /// Goes on in another process, whose standard descriptors lead nowhere.
  ///
  /// The process that calls it waits until the other one is ready or has failed, and ends with status 0 or that of
  /// the other one. Threads don't survive this. Until it is ready, the other one is still at its terminal: Ctrl-C
  /// ends both, and messages go to standard error.
  /// - Parameters:
  ///   - program: the name for the system's log.
  ///   - announce: called in the process that waits, when the other one is ready, with that one's number.
  package static func detach(
    as program: String, announce: (pid_t) -> Void = { _ in }
  ) throws(SystemError) -> Daemon {
    var ends: [Int32] = [-1, -1]
    guard unsafe shim_closing_pipe(&ends) == 0 else {
      throw SystemError(operation: "pipe", path: "Daemon mode")
    }
    let process = MessageQueue.shared.fork()
    guard process >= 0 else { throw SystemError(operation: "fork", path: "Daemon mode") }
    guard process == 0 else {
      close(ends[1])
      waitForDaemon(process, ends[0], announce)
    }
    close(ends[0])
    shim_end_with_parent(SIGTERM)
    // Its commands must not hold on to what was its starter's: that may be waited for to be closed.
    let copy = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3)
    if copy >= 0 { MessageQueue.shared.redirect { message in MessageQueue.write(message, to: copy) } }
    let daemon = Daemon(readyDescriptor: ends[1], errorDescriptor: copy, program: program)
    guard shim_discard_standard_descriptors() == 0 else {
      throw SystemError(operation: "open", path: "/dev/null")
    }
    return daemon
  }

  /// Ends this process with its starter again, which the kernel forgets when the user changes.
  package func endWithStarter() { shim_end_with_parent(SIGTERM) }

  /// Lets go of the terminal and of the working directory, and lets the process that waits end.
  package consuming func announceReady() throws(SystemError) {
    shim_end_with_parent(0)
    guard setsid() >= 0, unsafe chdir("/") == 0 else {
      throw SystemError(operation: "detach", path: "Daemon mode")
    }
    MessageQueue.shared.flush()
    MessageQueue.shared.redirect { [program] message in
      unsafe shim_log(message.program ?? program, message.text)
    }
    if errorDescriptor >= 0 { close(errorDescriptor) }
    var byte: UInt8 = 1
    // One that doesn't wait any more needn't be told.
    _ = unsafe write(readyDescriptor, &byte, 1)
  }

  // Messages may still have to go to standard error if it ends before it is ready.
  deinit { close(readyDescriptor) }

  private static func waitForDaemon(
    _ process: pid_t, _ descriptor: Int32, _ announce: (pid_t) -> Void
  ) -> Never {
    shim_unblock_signals()
    var byte: UInt8 = 0
    if retryingOnInterrupt({ unsafe read(descriptor, &byte, 1) }) == 1 {
      announce(process)
      _exit(0)
    }
    var status: Int32 = 0
    _ = retryingOnInterrupt { unsafe Int(waitpid(process, &status, 0)) }
    MessageQueue.shared.flush()
    let hasExited = status & 0x7f == 0
    _exit(hasExited ? max(1, status >> 8 & 0xff) : 1)
  }
}
