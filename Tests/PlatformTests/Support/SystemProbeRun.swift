import TestSupport
import Testing

/// The answers of a probe, by command.
struct SystemProbeRun {
  private var answers: [String: [String]] = [:]

  /// Has a new process execute commands one after the other.
  init(_ commands: String...) throws { try self.init(commands: commands) }

  /// Has a new process execute commands one after the other.
  init(commands: [String], environment: [String: String?] = [:]) throws {
    guard let path = Subject.builtExecutable("SystemProbe") else {
      throw SupportError("no SystemProbe beside the tests")
    }
    let result = try ProcessRunner.run(
      Command(path, commands, environment: environment), limit: .seconds(120))
    guard result.status == 0 else { throw SupportError("the probe: \(result.end): \(result.errorText)") }
    for line in result.text.split(separator: "\n") {
      for command in commands where line.hasPrefix("\(command): ") {
        answers[command, default: []].append(String(line.dropFirst(command.count + 2)))
        break
      }
    }
  }

  /// The answer to a command, when it was first given.
  subscript(_ command: String) -> String? { answers[command]?.first }

  /// All answers to a command.
  func all(_ command: String) -> [String] { answers[command] ?? [] }
}
