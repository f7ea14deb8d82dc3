import Platform
import Shipping

/// What outputs meet outside of the program; tests have their own, so that a whole run takes place in one thread and in
/// their own time.
struct Surroundings: Sendable {
  /// The system's calls.
  var system = SystemCalls.real
  /// What tells outputs the time.
  var clock: @Sendable () -> Moment = Moment.now
  /// What has outputs go on in place of threads of their own; nil if these do.
  var driver: (any LoopDriver)?
  /// Gives an output another sink than the one that was opened.
  var replaceSink: (@Sendable (sending any Sink) -> sending any Sink)?
  /// The size of a spool's blocks; nil is the usual one.
  var blockBytes: Int?
}
