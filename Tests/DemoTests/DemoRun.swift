import TestSupport

/// Runs of `spillway demo` that end by themselves.
enum DemoRun {
  static func command(_ arguments: [String]) throws(SupportError) -> Command {
    var command = Command(try Subject.found().path, ["demo"] + arguments)
    command.environment = ["SPILLWAY_COMPAT": nil, "NO_COLOR": nil, "TERM": "xterm"]
    return command
  }

  static func run(_ arguments: String...) throws(SupportError) -> ProcessResult {
    try ProcessRunner.run(try command(arguments), limit: .seconds(60))
  }

  /// The accounting line's figures.
  static func accounting(_ text: String) -> [String: Int] {
    var figures: [String: Int] = [:]
    for word in text.split(whereSeparator: \.isWhitespace) {
      let parts = word.split(separator: "=")
      if parts.count == 2, let number = Int(parts[1]) { figures[String(parts[0])] = number }
    }
    return figures
  }
}

extension ProcessResult {
  var lines: [Substring] { text.split(separator: "\n") }
}
