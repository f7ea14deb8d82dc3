package import Platform
import Glibc
import LogReading
import VarnishLog

/// One run: a source, grouping, outputs, from the opening to the last entry.
///
/// ```
/// LogSource ─▶ Grouper ─▶ Route (select, render) ─▶ Spool ─▶ output thread ─▶ Sink
///                      └▶ Route …
/// ```
public enum Pipeline {
  /// Carries records from the input to the outputs until one of the two ends.
  ///
  /// - Returns: how it has ended.
  /// - Throws: `RunError` if it could not begin.
  public static func run(_ configuration: Configuration) throws(RunError) -> RunOutcome {
    try run(configuration, telling: nil)
  }

  /// Carries records from the input to the outputs, and notifies the service manager of the run's state.
  ///
  /// - Parameter source: where the configuration is read again on SIGHUP; nil leaves it at what it is.
  package static func run(
    _ configuration: Configuration, telling manager: ServiceManager?,
    reading source: ConfigurationSource? = nil
  ) throws(RunError) -> RunOutcome {
    // The code that has parsed the options isn't needed by a run.
    ProgramCode.release()
    let mailbox: SignalMailbox
    do {
      mailbox = try SignalMailbox(
        ticks: manager?.isThere == true || configuration.process.statusSocket != .none
          || configuration.process.statusBoard != nil || source != nil)
    } catch {
      throw .system(error)
    }
    tzset()
    var control = RunControl(configuration, mailbox: mailbox, manager: manager, source: source)
    for output in configuration.outputs { try output.check(configuration.input) }
    try control.detach()
    // With `--user`, outputs are opened as that user, when nothing needs the present user's privileges any
    // more.
    let opened = control.changesUser ? nil : try control.openOutputs()
    switch configuration.input.source {
    case .captured(let capture): return try runCaptured(capture, control, opened)
    case .live(let log): return try runLive(log, control, opened)
    }
  }

  private static func runLive(
    _ log: InputConfiguration.LiveLog, _ control: consuming RunControl,
    _ opened: consuming FixedList<OpenedOutput?>?
  ) throws(RunError) -> RunOutcome {
    var control = control
    let deadline = control.attachDeadline
    let instance = try control.attach(log, by: deadline)
    let opened = try control.openAsUser(opened)
    var follower = Follower(try Run(control, opened, canWait: false), instance, by: deadline)
    return try follower.follow()
  }
}
