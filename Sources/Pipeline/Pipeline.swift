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

  /// The same, and tells a service manager how it goes.
  ///
  /// - Parameter source: where the configuration is read again on SIGHUP; nil leaves it at what it is.
  package static func run(
    _ configuration: Configuration, telling manager: ServiceManager?,
    reading source: ConfigurationSource? = nil
  ) throws(RunError) -> RunOutcome {
    let mailbox: SignalMailbox
    do {
      mailbox = try SignalMailbox(
        ticks: manager?.isThere == true || configuration.process.statusSocket != .none || source != nil)
    } catch {
      throw .system(error)
    }
    tzset()
    var control = RunControl(configuration, mailbox: mailbox, manager: manager, source: source)
    for output in configuration.outputs { try output.check(configuration.input) }
    try control.detach()
    // Another user's outputs are opened by that user, when nothing needs this one any more.
    let opened = control.changesUser ? nil : try control.openOutputs()
    switch configuration.input.source {
    case .file(let path): return try runFile(path, control, opened)
    case .live: return try runLive(control, opened)
    case .memoryFile: return try runLive(control, opened)
    }
  }

  private static func runLive(
    _ control: consuming RunControl, _ opened: consuming FixedList<OpenedOutput?>?
  ) throws(RunError) -> RunOutcome {
    var control = control
    let deadline = control.attachDeadline
    let instance = try control.attach(by: deadline)
    let opened = try control.openAsUser(opened)
    var follower = Follower(try Run(control, opened, canWait: false), instance, by: deadline)
    return try follower.follow()
  }

  private static func runFile(
    _ path: String, _ control: consuming RunControl, _ opened: consuming FixedList<OpenedOutput?>?
  ) throws(RunError) -> RunOutcome {
    var control = control
    let input = control.configuration.input
    let isOld = input.compatibility.map { $0 < VarnishVersion(5, 2, 0) } ?? false
    // Standard input and named pipes may have nothing to read yet.
    let release = input.release.map { TagNumbering(of: $0) }
    let file = try control.aside("opening \(path)", patienceSeconds: 0) {
      Result { () throws(LogError) in try LogFile(path: path, from: release) }
        .mapError { isOld ? .logFileInOldTool($0) : .log($0) }
    }
    let opened = try control.openAsUser(opened)
    let opening = FileOpening(path: path, release: release, assumed: input.assumedNumbering)
    switch file.kind {
    case .narrow: return try run(opening.records(file, NarrowRecords.self), opening, control, opened)
    case .wide: return try run(opening.records(file, WideRecords.self), opening, control, opened)
    case .old(.v20): return try run(LegacyFileRecords<Records20>(file), opening, control, opened)
    case .old(.v21): return try run(LegacyFileRecords<Records21>(file), opening, control, opened)
    case .old: return try run(LegacyFileRecords<Records30>(file), opening, control, opened)
    }
  }

  private static func run<Source: LogFileSource & ~Copyable>(
    _ records: consuming Source, _ opening: FileOpening, _ control: consuming RunControl,
    _ opened: consuming FixedList<OpenedOutput?>
  ) throws(RunError) -> RunOutcome where Source: OpenableAgain {
    var source = records
    do {
      try source.begin()
    } catch {
      throw .log(error)
    }
    var run = try Run(control, opened, canWait: true)
    if try !run.goOn(in: &source, opening.path) {
      // What isn't the file that it was is read as a whole.
      do {
        source = try Source(again: opening)
        try source.begin()
      } catch {
        throw .log(error)
      }
    }
    _ = run.beginBinary(Source.Layout.self, source.numbering, single: source.singleNumbering)
    run.announceReady()
    try run.read(&source, opening.path)
    return run.finish()
  }
}

/// How a log file is opened.
struct FileOpening {
  let path: String
  /// The numbering that it has for certain, and what to take if its first records don't tell.
  let release: TagNumbering?, assumed: TagNumbering?

  /// The file's records in a layout of today's.
  func records<Layout: RecordLayout>(_ file: consuming LogFile, _ layout: Layout.Type) -> FileRecords<Layout>
  {
    func fits(_ numbering: TagNumbering?) -> TagNumbering? {
      let isNarrow = Layout.headerByteCount == NarrowRecords.headerByteCount
      return numbering.flatMap { LogFileKind(of: $0) == (isNarrow ? .narrow : .wide) ? $0 : nil }
    }
    return FileRecords(file, assuming: fits(assumed), knowing: fits(release))
  }
}

/// A source of a file's records that is made of the file.
protocol OpenableAgain: ~Copyable {
  /// Opens the file once more.
  init(again opening: FileOpening) throws(LogError)
}

extension FileRecords: OpenableAgain {
  init(again opening: FileOpening) throws(LogError) {
    self = opening.records(try LogFile(path: opening.path, from: opening.release), Layout.self)
  }
}

extension LegacyFileRecords: OpenableAgain {
  init(again opening: FileOpening) throws(LogError) {
    self.init(try LogFile(path: opening.path, from: Format.numbering))
  }
}
