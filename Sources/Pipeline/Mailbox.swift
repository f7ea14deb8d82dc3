/// A command for a run from outside: from a signal or a test.
enum Command: Sendable {
  /// End.
  case end
  /// Reopen the output files and read the configuration again, or end.
  case hangup
  /// Finish what is open in the groupers.
  case flush
  /// Report the accounts.
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

  /// Takes the commands that end the run, and leaves all others for later.
  ///
  /// - Returns: whether there was one that ends the run.
  func takeEnds(where ends: (Command) -> Bool) -> Bool

  /// Waits until there is a command, `other` becomes readable, or the time is over; -1 is for ever.
  ///
  /// - Returns: whether there is a command.
  func wait(milliseconds: Int32, or other: Int32?) -> Bool

  /// Makes the descriptor readable at this interval from now on, without a command, so that a run that waits
  /// for long updates its status.
  func beginTicking(nanoseconds: Int64)
}

extension Mailbox {
  /// Does nothing: the descriptor becomes readable for commands only.
  func beginTicking(nanoseconds: Int64) {}

  /// Waits until there is a command, or the time is over.
  func wait(milliseconds: Int32) -> Bool { wait(milliseconds: milliseconds, or: nil) }
}
