import ArgumentParser
import Glibc
import LogReading
import Pipeline

/// Commands that show statistics of a log.
extension SpillwayCommand {
  /// Runs the command that the program's name or its first argument names; returns if there is no such command.
  static func runPicture(_ program: String, _ arguments: ArraySlice<String>) {
    let commands: [any PictureCommand.Type] = [TopCommand.self, HistCommand.self]
    for command in commands {
      if program == command.oldName { show(command, Array(arguments), isOldName: true) }
      if arguments.first == command.configuration.commandName {
        show(command, Array(arguments.dropFirst()), isOldName: false)
      }
    }
  }

  private static func show<Command: PictureCommand>(
    _ type: Command.Type, _ arguments: [String], isOldName: Bool
  ) -> Never {
    let name = isOldName ? type.oldName : "spillway"
    if arguments.first == "--optstring" {
      print(type.expansion.optionString)
      exit(ExitStatus.success)
    }
    do {
      let expanded = try type.expansion(arguments)
      try type.expansion.checkBytes(expanded)
      let command = try parse(type, expanded, isOldName: isOldName)
      if command.showVersion {
        complain("\(name) (spillway \(version))", as: nil)
        exit(ExitStatus.success)
      }
      let context = OptionContext(letters: type.expansion.letters(in: expanded), isOldName: isOldName)
      exit(ExitStatus.of(try command.show(context)))
    } catch let error as ArgumentExpansion.Mistake {
      complain(error.description, as: name)
      let subcommand = isOldName ? "" : " \(type.configuration.commandName ?? "")"
      complain("Usage: \(name)\(subcommand) <options>; --help lists them", as: nil)
      exit(ExitStatus.failure)
    } catch let error as RunError {
      complain(error.description, as: name, keepingLines: error.hasLines)
      exit(ExitStatus.failure)
    } catch let error as UsageError {
      complain(isOldName ? error.words : error.description, as: name)
      exit(ExitStatus.failure)
    } catch {
      if isOldName { leave(error, type, as: name) }
      leave(error, RootCommand.self)
    }
  }
}
