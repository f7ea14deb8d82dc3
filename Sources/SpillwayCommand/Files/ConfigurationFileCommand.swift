import ArgumentParser
import Glibc
import Pipeline
import Settings

/// A command that reads a configuration file.
enum ConfigurationFileCommand {
  /// What a file says; or the end of the process, after every mistake in it was printed.
  static func configuration(_ path: String) throws -> Configuration {
    do {
      return try ConfigurationFile(path).configuration { SpillwayCommand.complain($0, as: "spillway") }
    } catch ConfigurationFile.Failure.mistakes(let mistakes) {
      for mistake in mistakes { SpillwayCommand.complain(mistake.description, as: nil) }
    } catch ConfigurationFile.Failure.unreadable(let error) {
      SpillwayCommand.complain("\(path): \(error)", as: nil)
    } catch let error as UsageError {
      SpillwayCommand.complain(error.description, as: "spillway")
    }
    throw ExitCode(ExitStatus.failure)
  }
}

/// `spillway run`: carries a log to the outputs that a file describes.
struct RunFileCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run",
    abstract: "Carry a log to the outputs that a file describes.",
    discussion: """
      Reads a file in YAML that says which log to follow, what to make of it and where that goes. If there \
      is a mistake in it, it prints all of them and ends with status 1; 'spillway check' does only that.
      """)

  @Option(help: ArgumentHelp("The file.", valueName: "file"))
  var config: String

  func run() throws {
    let configuration = try ConfigurationFileCommand.configuration(config)
    do {
      throw ExitCode(ExitStatus.of(try Pipeline.run(configuration, telling: SpillwayCommand.manager)))
    } catch let error as RunError {
      SpillwayCommand.complain(error.description, as: "spillway", keepingLines: error.hasLines)
      throw ExitCode(ExitStatus.failure)
    }
  }
}

/// `spillway check`: looks for mistakes in a file for `spillway run`.
struct CheckCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check",
    abstract: "Look for mistakes in a file for 'spillway run'.",
    discussion: """
      Prints every mistake with its line and column, with what stands there and what was expected, and ends \
      with status 1 if there is one. No log is needed, and no output is opened.
      """)

  @Argument(help: ArgumentHelp("The file.", valueName: "file"))
  var file: String

  func run() throws {
    let count = try ConfigurationFileCommand.configuration(file).outputs.count
    print("\(file): \(count) \(count == 1 ? "output" : "outputs"), no mistakes")
  }
}
