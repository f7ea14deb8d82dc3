import VarnishLog
import Glibc
import LogWriting
import Pipeline
import Platform

/// A log with made-up traffic and a pipeline that follows it, in one process that needs no cache.
///
/// ```
/// traffic thread ─▶ LogWriter ─▶ shared memory ─▶ Pipeline ─▶ standard output
///                                                       ╰──▶ pipe ─▶ terminal thread ─▶ lines and panel
/// ```
public enum Demo {
  /// Plays until it has come to its end, or is told to.
  ///
  /// - Returns: the status to exit with.
  public static func run(_ options: DemoOptions) throws(DemoError) -> Int32 {
    Signals.block()
    let directory = try LogDirectory(options.directory)
    // Every way out of here leads past this, signals included: they end the pipeline, not the process.
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
    var pipeline = options.pipeline
    pipeline.input = .live(directory.path)
    let traffic = TrafficThread(writer, options)
    defer { traffic.end() }
    do throws(RunError) {
      guard options.showsPanel, let terminal = Terminal.open() else {
        return try runPlain(options, pipeline, traffic, directory.path)
      }
      return try runOnTerminal(consume terminal, pipeline, traffic, directory.path)
    } catch {
      throw .run(error)
    }
  }

  private static func runPlain(
    _ options: DemoOptions, _ pipeline: PipelineOptions, _ traffic: TrafficThread, _ path: String
  ) throws(RunError) -> Int32 {
    var pipeline = pipeline
    let name = pipeline.programName
    let tellsPlace = options.directory != nil || !options.endsByItself
    pipeline.monitor = RunMonitor(attached: { monitor in
      if tellsPlace {
        MessageQueue.shared.say("the log is in \(path): spillway log -n \(path) -g request", as: name)
      }
      if !traffic.start(monitor) { giveUp(monitor, name) }
    })
    return try Pipeline.run(pipeline)
  }

  private static func runOnTerminal(
    _ terminal: consuming Terminal, _ pipeline: PipelineOptions, _ traffic: TrafficThread, _ path: String
  ) throws(RunError) -> Int32 {
    var pipeline = pipeline
    let notices = Notices()
    let lines: LinePipe
    do {
      lines = try LinePipe()
    } catch {
      throw .system(error)
    }
    let screen = Screen(
      terminal, lines: lines.readEnd, notices: notices, traffic: traffic, path: path,
      spoolBytes: pipeline.spoolBytes, programName: pipeline.programName)
    let monitor = RunMonitor(
      attached: { [name = pipeline.programName] monitor in
        if !screen.start(monitor) || !traffic.start(monitor) { giveUp(monitor, name) }
      }, say: { notices.add($0) })
    pipeline.monitor = monitor
    pipeline.target = .descriptor(lines.writeEnd, name: "standard output")
    // It would land in the midst of the panel; the screen has it as its last line.
    pipeline.showsAccounting = false
    var farewell: String?
    defer {
      screen.end(lines, farewell)
      for notice in notices.take() { MessageQueue.shared.say(notice, as: pipeline.programName) }
    }
    let status = try Pipeline.run(pipeline)
    farewell = monitor.progress.accounting.description
    return status
  }

  /// Ends a run that has hardly begun.
  private static func giveUp(_ monitor: RunMonitor, _ name: String) {
    MessageQueue.shared.say("the system has no more threads", as: name)
    monitor.endAfterLog()
  }
}

/// Signals are for the pipeline; no other thread is interrupted by them.
enum Signals {
  /// Blocks those that end a run or tell of a terminal, in this thread and all that it starts.
  static func block() {
    var signals = sigset_t()
    sigemptyset(&signals)
    for signal in [SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGWINCH] { sigaddset(&signals, signal) }
    pthread_sigmask(SIG_BLOCK, &signals, nil)
  }
}
