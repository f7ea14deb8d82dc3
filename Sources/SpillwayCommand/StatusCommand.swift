import ArgumentParser
import Platform

/// `spillway status`: asks a run for its status.
struct StatusCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "status",
    abstract: "Ask a run how it does.",
    discussion: """
      A run that was started with --status-socket, or in the background where there is a directory for it, \
      answers with what it reads, how far behind it is, and what has become of everything, for each output.
      """)

  @Flag(help: "The answer as one JSON document.")
  var json = false

  @Flag(help: "The answer as a table. (default)")
  var table = false

  @Argument(help: "The run's socket. (default: \(OptionValues.statusPath))")
  var path: String?

  func run() throws {
    guard !(json && table) else {
      try fail("Only one of --json and --table may be used")
      return
    }
    do {
      let answer = try StatusClient.ask(json ? .json : .table, at: path ?? OptionValues.statusPath)
      try StandardOutput.write(answer)
    } catch let error as StatusClientError {
      try fail(error.description)
    }
  }

  private func fail(_ text: String) throws {
    SpillwayCommand.complain(text, as: "spillway")
    throw ExitCode(ExitStatus.failure)
  }
}
