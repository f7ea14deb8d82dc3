import Glibc
import TestSupport
import Testing

/// A `spillway run` that follows a log written by a test, with a configuration file that the test changes.
final class ConfiguredFeed {
  let feed: LiveFeed
  private let path: String
  private let instance: String
  private let process: String

  /// Starts the program.
  ///
  /// - Parameters:
  ///   - path: the path of the configuration file.
  ///   - process: settings of the process, within braces.
  ///   - outputs: settings of outputs, a line each: the first one writes `%U` into `first`.
  init(
    _ path: String, process: String = "", _ outputs: [String], first: String,
    environment: [String: String] = [:], isTimed: Bool = false
  ) throws {
    self.path = path
    var instance = ""
    let started = Self.text("INSTANCE", process, outputs)
    feed = try LiveFeed(
      [], isTimed: isTimed,
      wrap: { command in
        var command = command
        let index = command.arguments.firstIndex(of: "-n") ?? 0
        instance = command.arguments[index + 1]
        try? writeFile(path, started.replacing("INSTANCE", with: instance).utf8)
        command.arguments = ["run", "--config", path]
        for (name, value) in environment { command.environment[name] = value }
        return command
      }, text: { (try? readText(first)) ?? "" })
    (self.instance, self.process) = (instance, process)
  }

  private static func text(_ instance: String, _ process: String, _ outputs: [String]) -> String {
    "input: {instance: \(instance)}\nprocess: {\(process)}\ndefaults: {append: yes}\noutputs:\n"
      + outputs.map { "  \($0)\n" }.joined()
  }

  /// Changes the file as editors do, and has the program reload it.
  ///
  /// - Parameters:
  ///   - outputs: settings of outputs, a line each.
  ///   - process: settings of the process; nil leaves them as they were at the start.
  func reload(_ outputs: [String], process: String? = nil) throws {
    try writeFile(path + ".new", Self.text(instance, process ?? self.process, outputs).utf8)
    try #require(rename(path + ".new", path) == 0)
    feed.child.signal(SIGHUP)
  }

  /// How often a text occurs in the messages.
  func count(_ text: String) -> Int {
    feed.messages.text.split(separator: "\n").count { $0.contains(text) }
  }

  /// Sends requests until a text occurs in the messages `count` times.
  func sendUntil(_ text: String, count: Int = 1) throws {
    let isSaid = try poll(every: .milliseconds(5), until: .after(.seconds(60))) {
      feed.send(20)
      return self.count(text) >= count
    }
    guard isSaid else { throw SupportError("not said: \(text); but \(feed.messages.text)") }
  }
}
