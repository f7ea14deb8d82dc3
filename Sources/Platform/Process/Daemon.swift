import CShims
package import Glibc

/// A process that continues in the background, while the process that has started it waits until it is ready.
package struct Daemon: ~Copyable {
  private let readyDescriptor: Int32
  /// The destination of messages until it is ready: a copy of standard error, which no command that it starts
  /// inherits.
  private let errorDescriptor: Int32
  private let program: String

  /// Continues in a child process, whose standard descriptors lead nowhere.
  ///
  /// The calling process waits until the child is ready or has failed, and ends with status 0 or the child's
  /// status. Threads don't survive this. Until the child is ready, it still has the terminal: Ctrl-C ends
  /// both, and messages go to standard error.
  /// - Parameters:
  ///   - program: the name for the system's log.
  ///   - announce: called in the waiting process when the child is ready, with the child's process number.
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
    // Commands must not keep the parent's standard error open: a process may wait for it to be closed.
    let copy = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3)
    if copy >= 0 { MessageQueue.shared.redirect { message in MessageQueue.write(message, to: copy) } }
    let daemon = Daemon(readyDescriptor: ends[1], errorDescriptor: copy, program: program)
    guard shim_discard_standard_descriptors() == 0 else {
      throw SystemError(operation: "open", path: "/dev/null")
    }
    return daemon
  }

  /// Asks the kernel again to end this process with its parent, which the kernel forgets when the user
  /// changes.
  package func endWithStarter() { shim_end_with_parent(SIGTERM) }

  /// Detaches from the terminal and the working directory, and lets the waiting process end.
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
    // A parent that doesn't wait any more needn't be told.
    _ = unsafe write(readyDescriptor, &byte, 1)
  }

  // Messages may still have to go to standard error if the process ends before it is ready.
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
