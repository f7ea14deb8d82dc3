import TestSupport

/// A live log into which the program replays a captured log.
struct PlayedLog {
  /// The argument for a reader's `-n`.
  let directory: String
  let child: ChildProcess
  private let messages: OutputPipe
  private let home: TemporaryDirectory

  /// Starts the program, and waits for its message that the log is there.
  init(_ input: String, _ arguments: [String]) throws(SupportError) {
    home = try TemporaryDirectory()
    directory = home.file("live")
    child = try ChildProcess(try Self.command([input, "-n", directory] + arguments))
    guard let messages = child.errorOutput else { throw SupportError("standard error is no pipe") }
    self.messages = messages
    let first = try message(containing: "")
    guard first.hasPrefix("spillway: the log is in ") else { throw SupportError("it said \(first)") }
  }

  /// A log that was replayed to its end, and stays.
  static func finished(_ input: String, _ arguments: [String] = []) throws(SupportError) -> PlayedLog {
    let played = try PlayedLog(input, ["--max", "--start-delay", "0", "--linger", "1h"] + arguments)
    try played.message(containing: "transactions=")
    return played
  }

  /// The command that replays.
  static func command(_ arguments: [String]) throws(SupportError) -> Command {
    var command = Command(try Subject.found().path, ["replay"] + arguments)
    command.environment = ["SPILLWAY_COMPAT": nil]
    return command
  }

  /// Waits for a message of the program that contains a text.
  @discardableResult
  func message(containing text: String) throws(SupportError) -> String {
    try messages.line(containing: text, by: .after(.seconds(60)))
  }

  /// All messages of the program, by line.
  var said: [String] { messages.text.split(separator: "\n").map(String.init) }

  /// A figure of the last accounting line.
  func figure(_ name: String) -> Double? {
    let line = said.last { $0.contains("transactions=") } ?? ""
    return line.split(separator: " ").first { $0.hasPrefix("\(name)=") }
      .flatMap { Double($0.dropFirst(name.count + 1)) }
  }

  /// The output of a command of the program for the live log as it stands.
  func shown(_ command: String, _ arguments: [String] = []) throws(SupportError) -> String {
    try Self.run(command, ["-d", "-n", directory] + arguments)
  }

  /// The output of a command of the program for a captured log.
  static func shown(
    _ command: String, of path: String, _ arguments: [String] = []
  ) throws(SupportError) -> String {
    try run(command, ["-r", path] + arguments)
  }

  private static func run(_ command: String, _ arguments: [String]) throws(SupportError) -> String {
    var command = Command(try Subject.found().path, [command] + arguments)
    command.environment = ["SPILLWAY_COMPAT": nil]
    let result = try ProcessRunner.run(command)
    guard result.status == 0 else { throw SupportError("\(arguments): \(result.errorText)") }
    return result.text
  }

  /// Ends the program.
  func end() throws(SupportError) -> ProcessEnd {
    let end = try child.terminate(by: .after(.seconds(10)))
    try messages.waitForEnd(by: .after(.seconds(10)))
    return end
  }
}
