import ArgumentParser
import Inspection
import LogReading
import VarnishLog

/// `spillway inspect`: describes a log: its format, its version and its contents.
struct InspectCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "inspect",
    abstract: "Show which log a file or directory has, and what is in it.",
    discussion: """
      Reads what 'spillway convert' takes, or with -n what a running server has in its log at the moment, and \
      shows its generation, who wrote it, what its server shares, where its ring stands, its time span, its records \
      and transactions, how fast it is written, how long its ring lasts, and what was cut. It only reads.
      """)

  @Argument(help: "A file, a directory, or an archive and perhaps a path in it; '-' is standard input.")
  var input: String?

  @Option(
    name: .short, parsing: .unconditional,
    help: ArgumentHelp("A running instance, as it is now.", valueName: "dir"))
  var n: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "With -n: how long to watch the log for its rate; 0 doesn't. (default: 1s)", valueName: "duration"))
  var watch: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Read the input as a log of this Varnish version, 2.0 to 9.0. (default: told by the log)",
      valueName: "version"))
  var from: String?

  @Flag(help: "Search damaged parts for records.")
  var salvage = false

  @Flag(help: "The answer as one JSON document.")
  var json = false

  func run() throws {
    do {
      let path: String
      switch (input, n) {
      case (.some(let input), nil): path = input
      case (nil, .some(let name)): path = try InstanceName(name).path
      default: throw UsageError("Give either an input or -n")
      }
      let seconds = try OptionValues().watchSeconds(watch)
      if watch != nil, n == nil { throw UsageError("--watch needs -n") }
      var options = CaptureOptions()
      options.salvages = salvage
      options.numbering = try OptionValues().release(from).map { TagNumbering(of: $0) }
      let inspection =
        n == nil
        ? try Inspection.of(path, options)
        : try Inspection.ofInstance(path, options, watchingSeconds: seconds)
      try StandardOutput.write(json ? inspection.json : inspection.text)
      if let fault = inspection.fault { throw fault }
    } catch let error as LogError {
      SpillwayCommand.complain(error.description, as: "spillway")
      throw ExitCode(ExitStatus.failure)
    } catch let error as UsageError {
      SpillwayCommand.complain(error.description, as: "spillway")
      throw ExitCode(ExitStatus.failure)
    }
  }
}
