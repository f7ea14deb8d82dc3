import TerminalViews
import VarnishLog
import Glibc
import LogWriting
public import Pipeline
import Platform

/// A log with simulated traffic and a pipeline that follows it, in one process that needs no cache.
///
/// ```
/// traffic thread ─▶ LogWriter ─▶ shared memory ─▶ Pipeline ─▶ standard output
///                                                       ╰──▶ pipe ─▶ terminal thread ─▶ lines and panel
/// ```
public enum Demo {
  /// Runs the demonstration until its end, or until a key or a signal ends it.
  ///
  /// - Returns: the run's outcome.
  public static func run(_ options: DemoOptions) throws(DemoError) -> RunOutcome {
    Signals.block()
    let directory = try LogDirectory(options.directory)
    // Runs on every way out, signals included, as these end the pipeline and not the process.
    defer { directory.remove() }
    let writer: LogWriter
    do {
      var kind = LogWriterOptions(.indexed(.v41))
      kind.identity = "spillway-demo"
      writer = try LogWriter(directory: directory.path, options: kind)
    } catch {
      throw .log(error)
    }
    defer { writer.close() }
    var configuration = options.configuration
    configuration.input.source = .instance(directory.path)
    let traffic = TrafficThread(writer, options)
    defer { traffic.end() }
    do throws(RunError) {
      guard options.showsPanel, let terminal = Terminal.open() else {
        return try runPlain(options, configuration, traffic, directory.path)
      }
      return try runOnTerminal(consume terminal, configuration, traffic, directory.path)
    } catch {
      throw .run(error)
    }
  }

  private static func runPlain(
    _ options: DemoOptions, _ configuration: Configuration, _ traffic: TrafficThread, _ path: String
  ) throws(RunError) -> RunOutcome {
    var configuration = configuration
    let name = configuration.process.programName
    let tellsPlace = options.directory != nil || !options.endsByItself
    configuration.process.monitor = RunMonitor(attached: { monitor in
      if tellsPlace {
        MessageQueue.shared.say("the log is in \(path): spillway log -n \(path) -g request", as: name)
      }
      if !traffic.start(monitor) { giveUp(monitor, name) }
    })
    return try Pipeline.run(configuration)
  }

  private static func runOnTerminal(
    _ terminal: consuming Terminal, _ configuration: Configuration, _ traffic: TrafficThread, _ path: String
  ) throws(RunError) -> RunOutcome {
    var configuration = configuration
    let notices = Notices()
    let lines: LinePipe
    do {
      lines = try LinePipe()
    } catch {
      throw .system(error)
    }
    let screen = Screen(
      terminal, lines: lines.readEnd, notices: notices, traffic: traffic, path: path,
      spoolBytes: configuration.process.spoolBytes, programName: configuration.process.programName)
    let monitor = RunMonitor(
      attached: { [name = configuration.process.programName] monitor in
        if !screen.start(monitor) || !traffic.start(monitor) { giveUp(monitor, name) }
      }, say: { notices.add($0) })
    configuration.process.monitor = monitor
    configuration.outputs[0].target = .descriptor(lines.writeEnd, name: "standard output")
    // The accounting would be written into the panel; the screen shows it as its last line.
    configuration.process.showsAccounting = false
    var farewell: String?
    defer {
      screen.end(lines, farewell)
      for notice in notices.take() { MessageQueue.shared.say(notice, as: configuration.process.programName) }
    }
    let outcome = try Pipeline.run(configuration)
    farewell = monitor.progress.ledger.description
    return outcome
  }

  /// Reports that a thread couldn't be started, and ends the run.
  private static func giveUp(_ monitor: RunMonitor, _ name: String) {
    MessageQueue.shared.say("the system has no more threads", as: name)
    monitor.endAfterLog()
  }
}

/// Keeps signals for the pipeline, so that they interrupt no other thread.
enum Signals {
  /// Blocks the signals that end a run or concern a terminal, in this thread and all threads that it starts.
  static func block() {
    var signals = sigset_t()
    unsafe sigemptyset(&signals)
    for signal in [SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGWINCH] { unsafe sigaddset(&signals, signal) }
    unsafe pthread_sigmask(SIG_BLOCK, &signals, nil)
  }
}
