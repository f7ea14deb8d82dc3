/// What a run is asked to do from outside: by signals, by the status socket, or by a test.
enum Command: Sendable {
  /// End.
  case end
  /// Let go of the output files, or end.
  case hangup
  /// Finish what is open.
  case flush
  /// Say how things stand.
  case report
}

/// Where commands for a run arrive.
///
/// A run takes its mailbox as an argument, so that a test can drive one in its own thread, step by step.
protocol Mailbox: AnyObject {
  /// Becomes readable when there is a command.
  var descriptor: Int32 { get }

  /// The next command that came in; nil if there is none.
  func next() -> Command?

  /// Leaves all commands for later but those that end the run.
  ///
  /// - Returns: whether there was one of these.
  func takeEnds(where ends: (Command) -> Bool) -> Bool

  /// Waits until there is a command, `other` becomes readable, or the time is over; -1 is for ever.
  ///
  /// - Returns: whether there is a command.
  func wait(milliseconds: Int32, or other: Int32?) -> Bool

  /// From now on makes the descriptor readable so often, without a command, so that a run that waits for long looks at
  /// itself now and then.
  func beginTicking(nanoseconds: Int64)
}

extension Mailbox {
  /// Leaves it at commands.
  func beginTicking(nanoseconds: Int64) {}

  /// Waits until there is a command, or the time is over.
  func wait(milliseconds: Int32) -> Bool { wait(milliseconds: milliseconds, or: nil) }
}
