extension Subject {
  /// Runs the program under test over a sample log, which it reads from a pipe.
  ///
  /// - Parameters:
  ///   - log: What it reads.
  ///   - arguments: Everything but `-r -`.
  ///   - environment: On top of a clock in UTC and no wish for a version.
  public func run(
    over log: LogFileBuilder, _ arguments: [String], environment: [String: String?] = [:]
  ) throws(SupportError) -> ProcessResult {
    var command = ncsa(["-r", "-"] + arguments)
    command.environment = ["TZ": "UTC", "LC_ALL": "C", "SPILLWAY_COMPAT": nil]
    for (name, value) in environment { command.environment.updateValue(value, forKey: name) }
    command.input = .bytes(log.bytes)
    return try ProcessRunner.run(command)
  }

  /// The installed varnishncsa, if it is one of 7.1: then it is the measure of what goes by the
  /// rules of 7.1.
  public static let reference: Subject? = {
    guard let path = findExecutable("varnishncsa"),
      let result = try? ProcessRunner.run(path, "-V"), result.errorText.contains("varnish-7.1.")
    else { return nil }
    return Subject(path: path)
  }()
}
