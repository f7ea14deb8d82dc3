extension Subject {
  /// Runs the program under test over a sample log, which it reads from a pipe.
  ///
  /// - Parameters:
  ///   - log: The sample log.
  ///   - arguments: All arguments except `-r -`.
  ///   - environment: Changes on top of the time zone UTC, the locale C and no `SPILLWAY_COMPAT`.
  public func run(
    over log: LogFileBuilder, _ arguments: [String], environment: [String: String?] = [:]
  ) throws(SupportError) -> ProcessResult {
    var command = ncsa(["-r", "-"] + arguments)
    command.environment = ["TZ": "UTC", "LC_ALL": "C", "SPILLWAY_COMPAT": nil]
    for (name, value) in environment { command.environment.updateValue(value, forKey: name) }
    command.input = .bytes(log.bytes)
    return try ProcessRunner.run(command)
  }

  /// The installed varnishncsa if it is of 7.1, and so the reference for Spillway's 7.1 behaviour.
  public static let reference: Subject? = {
    guard let path = findExecutable("varnishncsa"),
      let result = try? ProcessRunner.run(path, "-V"), result.errorText.contains("varnish-7.1.")
    else { return nil }
    return Subject(path: path)
  }()
}
