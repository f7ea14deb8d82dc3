import Compression
import Spool
import ArgumentParser
import Glibc
import Pipeline
import Platform
import VarnishLog

/// The command line: parses and interprets it, runs the command, and exits with its status.
@main
enum SpillwayCommand {
  static let version = "0.1.0"

  /// The service manager that started this process, if it asked to be notified.
  ///
  /// Its variables are removed from the environment when it is first used.
  static let manager = ServiceManager.adopt()

  static func main() {
    InheritedState.settle()
    let manager = manager
    atexit { MessageQueue.shared.flush() }
    var arguments = ProgramArguments.all[...]
    let program = arguments.popFirst().map(baseName) ?? "spillway"
    for command in runCommands where program == command.oldName {
      run(command, Array(arguments), isOldName: true, manager)
    }
    for command in runCommands where arguments.first == command.configuration.commandName {
      run(command, Array(arguments.dropFirst()), isOldName: false, manager)
    }
    if program == StatCommand.oldName { stat(Array(arguments), isOldName: true) }
    if arguments.first == StatCommand.configuration.commandName {
      stat(Array(arguments.dropFirst()), isOldName: false)
    }
    if arguments.first == MetricsCommand.configuration.commandName {
      tellMetrics(Array(arguments.dropFirst()), manager)
    }
    runPicture(program, arguments)
    if arguments.first == ConvertCommand.configuration.commandName {
      convert(Array(arguments.dropFirst()), manager)
    }
    runOther(Array(arguments))
  }

  /// Runs `convert`: `ncsa` and `log` make the lines and the text from captured logs.
  private static func convert(_ arguments: [String], _ manager: ServiceManager) -> Never {
    let (target, rest) = ConvertCommand.target(in: arguments)
    let name = ConvertCommand.configuration.commandName ?? ""
    if rest.contains(where: { $0 == "--help" || $0 == "-h" }) { runOther([name, "--help"]) }
    switch target {
    case "ncsa", nil: run(NCSACommand.self, rest, isOldName: false, isConversion: true, manager)
    case "log": run(LogCommand.self, rest, isOldName: false, isConversion: true, manager)
    case "vsl": runOther([name] + rest)
    case .some(let target):
      complain(UsageError("--to: \"\(target)\" is none of ncsa, log and vsl").description, as: "spillway")
      exit(ExitStatus.failure)
    }
  }

  /// Runs `stat`, whose options of one letter are split like those of the other commands.
  private static func stat(_ arguments: [String], isOldName: Bool) -> Never {
    let name = isOldName ? StatCommand.oldName : "spillway"
    let expansion = ArgumentExpansion.stat
    if arguments.first == "--optstring" {
      print(expansion.optionString)
      exit(ExitStatus.success)
    }
    do {
      let expanded = try expansion(arguments)
      let command = try parse(StatCommand.self, expanded, isOldName: isOldName)
      if command.showVersion {
        complain("\(name) (spillway \(version))", as: nil)
        exit(ExitStatus.success)
      }
      try command.show(expansion.letters(in: expanded), as: name)
      exit(ExitStatus.success)
    } catch let error as ArgumentExpansion.Mistake {
      complain(error.description, as: name)
      let subcommand = isOldName ? "" : " \(StatCommand.configuration.commandName ?? "")"
      complain("Usage: \(name)\(subcommand) <options>; --help lists them", as: nil)
      exit(ExitStatus.failure)
    } catch {
      if isOldName { leave(error, StatCommand.self, as: name) }
      leave(error, RootCommand.self)
    }
  }

  private static func runOther(_ arguments: [String]) -> Never {
    guard !arguments.isEmpty else {
      complain(RootCommand.helpMessage(), as: nil, keepingLines: true)
      exit(ExitStatus.failure)
    }
    if let stray = arguments.first(where: \.hasStrayBytes) {
      complain(UsageError(strayBytesIn: stray).description, as: "spillway")
      exit(ExitStatus.failure)
    }
    // Programs often ask for this; it is answered without setting up all commands.
    if arguments == ["--version"] {
      print(version)
      exit(ExitStatus.success)
    }
    do {
      var command = try RootCommand.parseAsRoot(arguments)
      try command.run()
      exit(ExitStatus.success)
    } catch {
      leave(error, RootCommand.self)
    }
  }

  /// Commands that also run when the program is called by a predecessor's name.
  private static let runCommands: [any RunCommand.Type] = [NCSACommand.self, LogCommand.self]

  private static func run<Command: RunCommand>(
    _ type: Command.Type, _ arguments: [String], isOldName: Bool, isConversion: Bool = false,
    _ manager: ServiceManager
  ) -> Never {
    let name = isOldName ? type.oldName : "spillway"
    let subcommand = type.configuration.commandName ?? ""
    let compatibility = OptionValues().versionText(ArgumentExpansion.compatibility(in: arguments))
    var expansion = type.expansion(for: compatibility.flatMap { VarnishVersion(parsing: $0) })
    if isConversion { expansion = expansion.takingInputs }
    if arguments.first == "--optstring" {
      print(expansion.optionString)
      exit(ExitStatus.success)
    }
    // A script that asks for the old rules may also expect the old messages.
    var keepsOldWords = isOldName
    do {
      let expanded = try expansion(arguments)
      try expansion.checkBytes(expanded)
      let command = try parse(type, expanded, isOldName: isOldName)
      if command.process.showVersion {
        complain("\(name) (spillway \(version))", as: nil)
        exit(ExitStatus.success)
      }
      if isConversion, command.input.r.isEmpty { throw UsageError("Missing input: what is to be converted") }
      keepsOldWords = isOldName || OptionValues().versionText(command.input.compat) != nil
      let configuration = try command.configuration(
        expanded, letters: expansion.letters(in: expanded), isOldName: isOldName)
      exit(ExitStatus.of(try Pipeline.run(configuration, telling: manager)))
    } catch let error as RunError {
      if keepsOldWords, case .output(let failure) = error {
        complain("\(type.oldOpenFailure.words) (\(failure.reason))", as: name)
        exit(type.oldOpenFailure.status)
      }
      complain(error.description, as: name, keepingLines: error.hasLines)
      exit(ExitStatus.failure)
    } catch let error as ArgumentExpansion.Mistake {
      complain(error.description, as: name)
      complain("Usage: \(name)\(isOldName ? "" : " \(subcommand)") <options>; --help lists them", as: nil)
      exit(ExitStatus.failure)
    } catch let error as UsageError {
      complain(keepsOldWords ? error.words : error.description, as: name)
      exit(ExitStatus.failure)
    } catch {
      if isOldName { leave(error, type, as: name) }
      leave(error, RootCommand.self)
    }
  }

  /// Parses a command's arguments.
  ///
  /// If the parser begins at the root command, it looks at every command, and looks four times instead of
  /// twice at the options of the command that is called: two fifths of the time that a command takes to
  /// start. So the command is parsed by itself first, and from the root only if that fails, for the messages:
  /// errors, help, completion scripts.
  static func parse<Command: ParsableCommand>(
    _ type: Command.Type, _ arguments: [String], isOldName: Bool
  ) throws -> Command {
    if let command = try? type.parseAsRoot(arguments) as? Command { return command }
    let name = type.configuration.commandName ?? ""
    let parsed = isOldName ? try type.parseAsRoot(arguments) : try RootCommand.parseAsRoot([name] + arguments)
    guard let command = parsed as? Command else { throw CleanExit.helpRequest(type) }
    return command
  }

  /// Prints the parser's message, and exits: with 0 for help that was asked for, else with 1.
  ///
  /// - Parameter oldName: the name that a command was called by, if it isn't the parser's.
  static func leave(
    _ error: any Error, _ command: any ParsableCommand.Type, as oldName: String? = nil
  ) -> Never {
    if let code = error as? ExitCode { exit(code.rawValue) }
    let ownName = command.configuration.commandName ?? "spillway"
    let name = oldName ?? ownName
    guard command.exitCode(for: error) != .success else {
      let lines = withOptionalValue(command.fullMessage(for: error))
        .split(separator: "\n", omittingEmptySubsequences: false)
      let usage = "USAGE: \(ownName)"
      let renamed = lines.map {
        $0.hasPrefix(usage) ? "USAGE: \(name)\($0.dropFirst(usage.count))" : String($0)
      }
      print(renamed.joined(separator: "\n"))
      exit(ExitStatus.success)
    }
    complain(command.message(for: error), as: name)
    complain("Usage: \(name) <options>; --help lists them", as: nil)
    exit(ExitStatus.failure)
  }

  /// The help with `[=<level>]` for options whose value may be left out, which the parser can't express.
  private static func withOptionalValue(_ text: String) -> String {
    CompressionFormat.allCases.reduce(text) { text, format in
      // In the list of options, the text after the option keeps its column.
      text.replacing("--\(format) <level>  ", with: "--\(format)[=<level>]")
        .replacing("--\(format) <level>", with: "--\(format)[=<level>]")
    }
  }

  private static func baseName(_ path: String) -> String {
    path.split(separator: "/").last.map(String.init) ?? path
  }

  /// Writes a message to standard error; arguments, names and parts of files in it are made visible.
  static func complain(_ text: String, as name: String?, keepingLines: Bool = false) {
    let text = text.shownAsArgument
    MessageQueue.shared.say(keepingLines ? VisibleText.lines(text) : VisibleText.oneLine(text), as: name)
  }
}

/// All commands of `spillway`, for help and completion scripts.
struct RootCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "spillway",
    abstract: "Follow the shared-memory log of a web cache and ship its lines.",
    version: SpillwayCommand.version,
    subcommands: [
      DemoCommand.self, NCSACommand.self, LogCommand.self, RunFileCommand.self, CheckCommand.self,
      FormatsCommand.self, ConvertCommand.self, InspectCommand.self, StatCommand.self, MetricsCommand.self,
      TopCommand.self, HistCommand.self, ReplayCommand.self, StatusCommand.self, CheckpointCommand.self,
    ])
}
