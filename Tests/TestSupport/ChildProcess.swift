public import Glibc

/// How a child process ended, and the resources that it used.
public struct ProcessEnd: Sendable, CustomStringConvertible {
  /// The exit status, or `nil` if a signal ended it.
  public let status: Int32?
  /// The signal that ended it, if one did.
  public let signal: Int32?
  /// The user and system time that it used.
  public let processorTime: Duration
  /// The largest resident size, in bytes.
  public let residentPeak: Int

  init(waitStatus: Int32, usage: rusage) {
    let number = waitStatus & 0x7F
    status = number == 0 ? (waitStatus >> 8) & 0xFF : nil
    signal = number == 0 ? nil : number
    processorTime =
      .seconds(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
      + .microseconds(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec)
    residentPeak = usage.ru_maxrss * 1024
  }

  /// The end in words, for messages.
  public var description: String {
    if let status { return "exit status \(status)" }
    return "signal \(signal ?? 0)"
  }
}

/// A running child: its pipes, its signals, its end.
public final class ChildProcess: Sendable {
  /// The child's process id.
  public let identifier: pid_t
  /// Its standard output, if that is a pipe.
  public let output: OutputPipe?
  /// Its standard error, if that is a pipe.
  public let errorOutput: OutputPipe?
  private let commandLine: String
  private let end = Monitor<ProcessEnd?>(nil)

  /// Starts `command`.
  public init(_ command: Command) throws(SupportError) {
    commandLine = ([command.executable] + command.arguments).joined(separator: " ")
    guard let path = findExecutable(command.executable) else {
      throw SupportError("no executable \(command.executable)")
    }
    let spawned = try spawn(command, path: path)
    identifier = spawned.identifier
    output = spawned.output.map {
      OutputPipe(descriptor: $0, isAsleep: command.output.isUnread)
    }
    errorOutput = spawned.errorOutput.map {
      OutputPipe(descriptor: $0, isAsleep: command.errorOutput.isUnread)
    }
    awaitEnd()
  }

  deinit { signal(SIGKILL) }

  /// Sends a signal, unless the child has ended.
  public func signal(_ number: Int32) {
    end.withLock { end in
      if end == nil { kill(identifier, number) }
    }
  }

  /// Whether the child has not ended.
  public var isRunning: Bool { end.withLock { $0 == nil } }

  /// Whether the child handles, ignores or blocks a signal, so that the default action no longer applies: a
  /// daemon does so once it is ready.
  public func awaits(_ number: Int32) -> Bool {
    guard let text = try? readText("/proc/\(identifier)/status") else { return false }
    return text.split(separator: "\n").contains { line in
      let fields = line.split(whereSeparator: { $0 == ":" || $0 == "\t" })
      guard fields.count == 2, ["SigBlk", "SigIgn", "SigCgt"].contains(fields[0]),
        let mask = UInt64(fields[1], radix: 16)
      else { return false }
      return mask >> UInt64(number - 1) & 1 == 1
    }
  }

  /// Waits for the child's end, and until its output has been collected.
  ///
  /// - Throws: If it still runs at `deadline`; it is killed then.
  @discardableResult
  public func wait(by deadline: Deadline) throws(SupportError) -> ProcessEnd {
    if let end = end.wait(until: deadline, for: { $0 }) {
      output?.collectRest(by: deadline)
      errorOutput?.collectRest(by: deadline)
      return end
    }
    signal(SIGKILL)
    let said = errorOutput?.text.suffix(400) ?? ""
    throw SupportError("still running after its time: \(commandLine); it said: \(said)")
  }

  /// Sends SIGTERM and waits for the end.
  @discardableResult
  public func terminate(by deadline: Deadline) throws(SupportError) -> ProcessEnd {
    signal(SIGTERM)
    return try wait(by: deadline)
  }

  /// `CLD_TRAPPED`.
  private static let stoppedByTracer: Int32 = 4

  private func awaitEnd() {
    detachThread { [identifier, end] in
      // The child stays a zombie until the lock is held: `signal` can never hit a process that got
      // its number later.
      var information = siginfo_t()
      while true {
        retryingInterrupts { waitid(P_PID, id_t(identifier), &information, WEXITED | WNOWAIT) }
        guard information.si_code == Self.stoppedByTracer else { break }
        // A tracer has stopped the child: `waitid` reports this as well, though the child hasn't ended.
        retryingInterrupts { waitid(P_PID, id_t(identifier), &information, WSTOPPED | WNOHANG) }
      }
      end.withLock { end in
        var status: Int32 = 0
        var usage = rusage()
        retryingInterrupts { wait4(identifier, &status, 0, &usage) }
        end = ProcessEnd(waitStatus: status, usage: usage)
      }
    }
  }
}
