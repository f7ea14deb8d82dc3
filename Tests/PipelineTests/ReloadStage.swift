@testable import Pipeline
import Glibc
import Platform
import Shipping
import TestSupport

/// A configuration source whose content and timing a test controls.
final class ScriptedConfiguration: Sendable {
  private struct State {
    var answer = ConfigurationSource.Answer.mistakes(["nothing was given"])
    var isHeld = false
    var readCount = 0
  }

  private let state = Guarded(State())

  /// Sets the answer for later reads.
  func set(_ answer: ConfigurationSource.Answer) { state.withLock { $0.answer = answer } }

  /// Makes reading take as long as the test wants.
  func hold(_ isHeld: Bool) { state.withLock { $0.isHeld = isHeld } }

  /// How many reads have begun.
  var readCount: Int { state.withLock { $0.readCount } }

  var source: ConfigurationSource {
    ConfigurationSource(name: "it.yaml", readable: []) { [self] in
      state.withLock { $0.readCount += 1 }
      while state.withLock({ $0.isHeld }) { usleep(1000) }
      return state.withLock { $0.answer }
    }
  }
}

extension Stage {
  /// An output of paths into a file, under a name.
  func named(_ name: String, format: String = "%U") -> OutputConfiguration {
    var output = file(name)
    output.name = name
    var formatting = OutputConfiguration.LineFormatting()
    formatting.format = .text(Array(format.utf8))
    output.shown = .lines(formatting)
    return output
  }

  /// Has the run reload its configuration, with other outputs, and steps it until that is done.
  func reload(
    _ follower: inout Follower, _ outputs: [OutputConfiguration],
    _ configure: (inout Configuration) -> Void = { _ in }
  ) throws {
    var other = follower.run.control.configuration
    other.outputs = outputs
    configure(&other)
    try reload(&follower, .configuration(other))
  }

  /// Has the run reload its configuration, with any answer.
  func reload(_ follower: inout Follower, _ answer: ConfigurationSource.Answer) throws {
    configuration.set(answer)
    mailbox.post(.hangup)
    try follower.step()
    try follower.goOn { $0.reload == nil }
  }
}

extension Follower {
  /// Steps the run until a condition holds, for conditions that depend on other threads.
  mutating func goOn(until isSo: (borrowing Run) -> Bool) throws {
    let deadline = Deadline.after(.seconds(60))
    while !isSo(run) {
      if deadline.hasPassed { throw SupportError("it isn't so after a minute") }
      try step()
      // Gives those threads processor time.
      usleep(500)
    }
  }

  /// The output of a route; nil while it isn't open.
  func output(_ index: Int) -> Output? { run.routes[index].output }

  /// The names of the routes.
  var names: [String] { (0..<run.routes.count).map { run.routes[$0].name } }

  /// The number of groupers.
  var grouperCount: Int {
    switch state {
    case .wide(let following): following.reading.groupers.count
    case .old20(let following): following.reading.groupers.count
    case .old21(let following): following.reading.groupers.count
    case .old30(let following): following.reading.groupers.count
    case .turning(let following): following.reading.groupers.count
    case .narrow(let following): following.reading.groupers.count
    case .seeking: 0
    case .probing: 0
    case .ended: 0
    }
  }
}
