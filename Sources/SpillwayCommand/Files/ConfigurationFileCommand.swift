import ArgumentParser
import Glibc
import Pipeline
import Platform
import Settings

/// A command that reads a configuration file.
enum ConfigurationFileCommand {
  /// The configuration in a file; if there are mistakes, prints all of them and throws the exit status.
  static func configuration(_ file: ConfigurationFile) throws -> Configuration {
    switch file.answer() {
    case .configuration(let configuration): return configuration
    case .mistakes(let lines):
      for line in lines { SpillwayCommand.complain(line, as: nil) }
      throw ExitCode(ExitStatus.failure)
    }
  }
}

extension ConfigurationFile {
  /// Reads the file, and returns its configuration, or its mistakes as the lines to print.
  func answer() -> ConfigurationSource.Answer {
    do {
      return .configuration(try configuration { SpillwayCommand.complain($0, as: "spillway") })
    } catch Failure.mistakes(let mistakes) {
      return .mistakes(mistakes.map(\.description.shownAsArgument))
    } catch Failure.unreadable(let error) {
      return .mistakes(["\(path): \(error)".shownAsArgument])
    } catch {
      // The mistake is neither in the file nor in an output: settings come from the environment, too.
      return .mistakes(["spillway: \(error)".shownAsArgument])
    }
  }

  /// The source from which a run reads its configuration again when it reloads.
  var source: ConfigurationSource {
    ConfigurationSource(name: path, readable: directories) { answer() }
  }
}

/// `spillway run`: carries a log to the outputs that a file describes.
struct RunFileCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run",
    abstract: "Carry a log to the outputs that a file describes.",
    discussion: """
      Reads a file in YAML that says which log to follow, what to make of it and where that goes. If there \
      is a mistake in it, it prints all of them and ends with status 1; 'spillway check' does only that. On \
      SIGHUP it reads the file again: outputs that are as before go on, others are replaced when they have \
      delivered what they have; if there is a mistake, it is printed and nothing changes.
      """)

  @Option(help: ArgumentHelp("The file.", valueName: "file"))
  var config: String

  @Option(
    help: ArgumentHelp(
      "Keep in this file how much of the log is done, and go on where the run before has ended. (default: what the "
        + "file says, or \(OptionValues.checkpointName) in $STATE_DIRECTORY)", valueName: "file"))
  var resume: String?

  func run() throws {
    let file = ConfigurationFile(config, resume: resume)
    let configuration = try ConfigurationFileCommand.configuration(file)
    do {
      let outcome = try Pipeline.run(
        configuration, telling: SpillwayCommand.manager, reading: file.source)
      throw ExitCode(ExitStatus.of(outcome))
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
    let count = try ConfigurationFileCommand.configuration(ConfigurationFile(file)).outputs.count
    print("\(file): \(counted(count, "output")), no mistakes")
  }
}
