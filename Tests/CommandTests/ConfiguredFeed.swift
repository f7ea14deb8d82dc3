import Glibc
import TestSupport
import Testing

/// `spillway run`, following a log that a test writes, with a file that the test changes.
final class ConfiguredFeed {
  let feed: LiveFeed
  private let path: String
  private let instance: String
  private let process: String

  /// Starts it.
  ///
  /// - Parameters:
  ///   - path: where the file is.
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

  /// Changes the file as editors do, and has it read again.
  ///
  /// - Parameters:
  ///   - outputs: settings of outputs, a line each.
  ///   - process: settings of the process; nil leaves them as they were at the start.
  func reload(_ outputs: [String], process: String? = nil) throws {
    try writeFile(path + ".new", Self.text(instance, process ?? self.process, outputs).utf8)
    try #require(rename(path + ".new", path) == 0)
    feed.child.signal(SIGHUP)
  }

  /// How often something was said.
  func count(_ text: String) -> Int {
    feed.messages.text.split(separator: "\n").count { $0.contains(text) }
  }

  /// Goes on with requests until something was said so often.
  func sendUntil(_ text: String, count: Int = 1) throws {
    let isSaid = try poll(every: .milliseconds(5), until: .after(.seconds(60))) {
      feed.send(20)
      return self.count(text) >= count
    }
    guard isSaid else { throw SupportError("not said: \(text); but \(feed.messages.text)") }
  }
}
