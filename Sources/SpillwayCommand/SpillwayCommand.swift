import ArgumentParser
import Glibc
import Spillway

/// The command line: parse, find out what it means, run, exit with the right status.
@main
enum SpillwayCommand {
  static let version = "0.1.0"

  static func main() {
    var arguments = CommandLine.arguments[...]
    let program = arguments.popFirst().map(baseName) ?? "spillway"
    if program == "varnishncsa" {
      runNCSA(Array(arguments), isVarnishncsa: true)
    }
    if arguments.first == "ncsa" {
      runNCSA(Array(arguments.dropFirst()), isVarnishncsa: false)
    }
    runOther(Array(arguments))
  }

  private static func runOther(_ arguments: [String]) -> Never {
    do {
      var command = try RootCommand.parseAsRoot(arguments)
      try command.run()
      exit(ExitStatus.success)
    } catch {
      leave(error, RootCommand.self)
    }
  }

  private static func runNCSA(_ arguments: [String], isVarnishncsa: Bool) -> Never {
    let name = isVarnishncsa ? "varnishncsa" : "spillway"
    do {
      let expanded = try ArgumentExpansion.ncsa(arguments)
      let command = try parse(expanded, isVarnishncsa: isVarnishncsa)
      if command.process.showVersion {
        complain("\(name) (spillway \(version))", as: nil)
        exit(ExitStatus.success)
      }
      let options = try command.pipelineOptions(isVarnishncsa: isVarnishncsa)
      exit(try Pipeline.run(options))
    } catch let error as RunError {
      complain(error.description, as: name)
      exit(error.exitStatus)
    } catch let error as ArgumentExpansion.Mistake {
      complain(error.description, as: name)
      complain("Usage: \(name)\(isVarnishncsa ? "" : " ncsa") <options>; --help lists them", as: nil)
      exit(ExitStatus.failure)
    } catch let error as UsageError {
      complain(error.description, as: name)
      exit(ExitStatus.failure)
    } catch {
      if isVarnishncsa { leave(error, NCSACommand.self) }
      leave(error, RootCommand.self)
    }
  }

  /// Parses the options; under a command of its own they stand alone, else below `spillway`.
  private static func parse(_ arguments: [String], isVarnishncsa: Bool) throws -> NCSACommand {
    if isVarnishncsa { return try NCSACommand.parse(arguments) }
    guard let command = try RootCommand.parseAsRoot(["ncsa"] + arguments) as? NCSACommand else {
      throw CleanExit.helpRequest(NCSACommand.self)
    }
    return command
  }

  /// Prints what the parser has to say, and ends: with 0 for help that was asked for, else with 1.
  private static func leave(_ error: any Error, _ command: any ParsableCommand.Type) -> Never {
    if let code = error as? ExitCode { exit(code.rawValue) }
    let text = command.fullMessage(for: error)
    guard command.exitCode(for: error) != .success else {
      print(text)
      exit(ExitStatus.success)
    }
    complain(text, as: nil)
    exit(ExitStatus.failure)
  }

  private static func baseName(_ path: String) -> String {
    path.split(separator: "/").last.map(String.init) ?? path
  }

  static func complain(_ text: String, as name: String?) {
    let line = Array((name.map { "\($0): " } ?? "").utf8) + Array("\(text)\n".utf8)
    _ = write(2, line, line.count)
  }
}

/// What `spillway` offers, for help and completion scripts.
struct RootCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "spillway",
    abstract: "Follow the shared-memory log of a web cache and ship its lines.",
    version: SpillwayCommand.version,
    subcommands: [NCSACommand.self, FormatsCommand.self])
}
