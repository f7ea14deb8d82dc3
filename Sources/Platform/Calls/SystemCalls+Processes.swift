import CShims
package import Glibc

/// Starting processes and learning of their end.
extension SystemCalls {
  /// Runs a command by the shell, in a process group of its own.
  ///
  /// Signals have their default action, even if they are blocked or ignored here. The command inherits the
  /// standard streams and no other descriptor, not even one that this program was started with.
  /// - Parameters:
  ///   - input: a descriptor that the command reads; it reads nothing if nil.
  ///   - file: the path that it gets as `$1` and as `SPILLWAY_FILE`.
  package func startShell(_ command: String, input: Int32? = nil, file: String? = nil) throws(Errno) -> pid_t
  {
    var actions = unsafe posix_spawn_file_actions_t()
    unsafe posix_spawn_file_actions_init(&actions)
    defer { unsafe posix_spawn_file_actions_destroy(&actions) }
    if let input {
      unsafe posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO)
    } else {
      unsafe posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
    }
    unsafe shim_spawn_close_from(&actions, STDERR_FILENO + 1)

    var attributes = posix_spawnattr_t()
    unsafe posix_spawnattr_init(&attributes)
    defer { unsafe posix_spawnattr_destroy(&attributes) }
    var signals = sigset_t()
    unsafe sigemptyset(&signals)
    unsafe posix_spawnattr_setsigmask(&attributes, &signals)
    unsafe sigfillset(&signals)
    unsafe posix_spawnattr_setsigdefault(&attributes, &signals)
    unsafe posix_spawnattr_setpgroup(&attributes, 0)
    let flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP
    unsafe posix_spawnattr_setflags(&attributes, Int16(flags))

    // The two dashes allow a command to begin with a dash.
    let words = ["sh", "-c", "--", command] + (file.map { ["sh", $0] } ?? [])
    let arguments = unsafe words.map { unsafe strdup($0) }
    defer { unsafe arguments.forEach { unsafe free($0) } }
    // Copied, as one variable may be added; the strings themselves stay the environment's.
    let variable = unsafe file.map { unsafe strdup("SPILLWAY_FILE=\($0)") }
    defer { if let variable = unsafe variable { unsafe free(variable) } }
    let environment = unsafe Self.environment(with: variable.flatMap { unsafe $0 })
    var process: pid_t = 0
    _ = try perform(.spawn) { _ in
      errno = unsafe posix_spawn(
        &process, "/bin/sh", &actions, &attributes, arguments + [nil], environment + [nil])
      return errno == 0 ? 0 : -1
    }
    return process
  }

  /// The environment's variables, and `SPILLWAY_FILE` if it is given.
  private static func environment(
    with variable: UnsafeMutablePointer<CChar>?
  ) -> [UnsafeMutablePointer<CChar>?] {
    var environment: [UnsafeMutablePointer<CChar>?] = unsafe []
    var cursor = unsafe environ
    while let entry = unsafe cursor.pointee {
      if unsafe variable == nil || strncmp(entry, "SPILLWAY_FILE=", 14) != 0 {
        unsafe environment.append(entry)
      }
      unsafe cursor += 1
    }
    if let variable = unsafe variable { unsafe environment.append(variable) }
    return unsafe environment
  }

  /// A descriptor that becomes readable when a process ends; nil where the system has none.
  package func watch(_ process: pid_t) -> Int32? {
    let descriptor = shim_watch_process(process)
    return descriptor >= 0 ? descriptor : nil
  }

  /// Whether a child has ended; its process number stays in use until it is reaped.
  package func hasEnded(_ process: pid_t) -> Bool {
    var information = unsafe siginfo_t()
    do {
      _ = try perform(.waitid) { _ in
        unsafe waitid(P_PID, id_t(process), &information, WEXITED | WNOWAIT | WNOHANG)
      }
      return unsafe information.si_signo == SIGCHLD
    } catch {
      // SIGCHLD is ignored, so that the system reaps children by itself.
      return error == .noChild
    }
  }

  /// Reaps a child that is known to have ended; its process number may then be used again.
  package func reap(_ process: pid_t) -> ProcessEnd {
    var status: Int32 = 0
    let result = try? perform(.waitid) { _ in unsafe waitpid(process, &status, WNOHANG) }
    return result == process ? ProcessEnd(waitStatus: status) : .unknown
  }

  /// Sends a signal to all processes of a group.
  package func signal(group: pid_t, _ number: Int32) { _ = kill(-group, number) }
}

/// How a process has ended.
package enum ProcessEnd: Equatable, CustomStringConvertible {
  case status(Int32)
  case signal(Int32)
  case unknown

  package init(waitStatus: Int32) {
    let number = waitStatus & 0x7f
    self = number == 0 ? .status(waitStatus >> 8 & 0xff) : .signal(number)
  }

  package var description: String {
    switch self {
    case .status(let status): "ended with status \(status)"
    case .signal(let number): unsafe "was ended by signal \(number) (\(String(cString: strsignal(number))))"
    case .unknown: "ended"
    }
  }
}
