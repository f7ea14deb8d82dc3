/// The result of a command that has ended.
public struct ProcessResult: Sendable {
  /// How it ended.
  public let end: ProcessEnd
  /// What it wrote to its standard output, if that was collected.
  public let output: [UInt8]
  /// What it wrote to its standard error, if that was collected.
  public let errorOutput: [UInt8]

  /// Its exit status, or `nil` if a signal ended it.
  public var status: Int32? { end.status }
  /// Its standard output as text.
  public var text: String { String(decoding: output, as: UTF8.self) }
  /// Its standard error as text.
  public var errorText: String { String(decoding: errorOutput, as: UTF8.self) }
}

/// Runs commands to their end.
public enum ProcessRunner {
  /// Runs `command` and collects its output.
  ///
  /// - Throws: If it cannot be started or still runs after `limit`; it is killed then.
  public static func run(
    _ command: Command, limit: Duration = .seconds(30)
  ) throws(SupportError) -> ProcessResult {
    let deadline = Deadline.after(limit)
    let child = try ChildProcess(command)
    let end = try child.wait(by: deadline)
    for case let pipe? in [child.output, child.errorOutput] {
      pipe.wake()
      try pipe.waitForEnd(by: deadline)
    }
    return ProcessResult(
      end: end, output: child.output?.bytes ?? [], errorOutput: child.errorOutput?.bytes ?? [])
  }

  /// Runs an executable with arguments and the defaults of `Command`.
  public static func run(
    _ executable: String, _ arguments: String..., limit: Duration = .seconds(30)
  ) throws(SupportError) -> ProcessResult {
    try run(Command(executable, arguments), limit: limit)
  }
}
