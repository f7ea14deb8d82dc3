import Platform
import Shipping

/// The system interfaces that outputs use; tests replace them, so that a whole run takes place in one thread
/// and on a clock of their own.
struct Surroundings: Sendable {
  /// The system's calls.
  var system = SystemCalls.real
  /// The clock of the outputs.
  var clock: @Sendable () -> Moment = Moment.now
  /// Runs the outputs' loops in place of threads of their own; nil gives each output its threads.
  var driver: (any LoopDriver)?
  /// Replaces an output's sink after it was opened.
  var replaceSink: (@Sendable (sending any Sink) -> sending any Sink)?
  /// The size of a spool's blocks; nil is the usual one.
  var blockBytes: Int?
}
