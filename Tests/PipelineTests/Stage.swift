import Checkpoints
import Glibc
import LogWriting
@testable import Pipeline
import Platform
import Shipping
import TestSupport
import VarnishLog

/// A log that a test writes, and a run that follows it, both in the test's own thread, step by step.
final class Stage {
  let directory: TemporaryDirectory
  let clock = ScriptedClock()
  let mailbox: ScriptedMailbox
  /// The source from which a run reloads its configuration.
  let configuration = ScriptedConfiguration()
  private let messages = Guarded<[String]>([])
  private(set) var writer: LogWriter?
  /// The paths of all transactions that were written, in order.
  private(set) var written: [String] = []
  /// The size of the log, in bytes.
  static let logByteCount = 64 << 10

  /// - Parameter writes: whether there is a log; otherwise only an empty directory for one.
  init(writes: Bool = true) throws {
    directory = try TemporaryDirectory()
    mailbox = try ScriptedMailbox(clock)
    if writes {
      try startWriter()
    } else {
      guard mkdir(logPath, 0o755) == 0 else { throw SupportError("make \(logPath)", errno: errno) }
    }
  }

  var logPath: String { directory.file("log") }

  /// The messages of the run.
  var said: [String] { messages.withLock { $0 } }

  /// Ends the log, and begins another, as a server does when its worker is restarted.
  func restartWriter() throws {
    stopWriter()
    try startWriter()
  }

  func stopWriter() {
    writer?.close()
    writer = nil
  }

  func startWriter() throws {
    var options = LogWriterOptions(.indexed(.v41))
    options.logByteCount = Self.logByteCount
    options.batchByteCount = 4 << 10
    options.textByteCountMax = 1000
    writer = try LogWriter(directory: logPath, options: options)
  }

  /// Writes transactions.
  func write(_ count: Int) throws {
    guard let writer else { throw SupportError("write: there is no log") }
    for _ in 0..<count {
      let path = "/\(written.count)"
      var transaction = writer.transaction(writer.nextVXID(), .client)
      transaction.add(.begin, "req 0 rxreq")
      transaction.add(.reqMethod, "GET")
      transaction.add(.reqURL, path)
      transaction.add(.respStatus, written.count % 5 == 0 ? "500" : "200")
      transaction.add(.end, "")
      _ = transaction.commit()
      written.append(path)
    }
  }

  /// An output of only the paths.
  func output(_ target: OutputConfiguration.Target, spoolBytes: Int? = nil) -> OutputConfiguration {
    var output = OutputConfiguration()
    var formatting = OutputConfiguration.LineFormatting()
    formatting.format = .text(Array("%U".utf8))
    output.shown = .lines(formatting)
    output.target = target
    output.spoolBytes = spoolBytes
    return output
  }

  /// An output of only the paths to a file.
  func file(_ name: String) -> OutputConfiguration { output(.file(FileOptions(path: directory.file(name)))) }

  /// An output to a file that is appended to.
  func appended(_ name: String) -> OutputConfiguration {
    var options = FileOptions(path: directory.file(name))
    options.appends = true
    return output(.file(options))
  }

  /// The path of the runs' checkpoint.
  var checkpoint: String { directory.file("checkpoint") }

  /// A run that resumes at the checkpoint of the one before.
  func resumingFollower(_ outputs: [OutputConfiguration]) throws -> Follower {
    while true {
      do {
        return try follower(outputs) { $0.process.resume = checkpoint }
      } catch RunError.checkpoint(.inUse) {
        // The threads of the run before may still hold the checkpoint for a moment.
        sched_yield()
      }
    }
  }

  /// The lines in a file.
  func lines(_ name: String) throws -> [String] {
    try readText(directory.file(name)).split(separator: "\n").map(String.init)
  }

  /// A run that has begun.
  ///
  /// - Parameter reloads: whether the run reloads its configuration on SIGHUP.
  func follower(
    _ outputs: [OutputConfiguration], reloads: Bool = false,
    _ configure: (inout Configuration) -> Void = { _ in }
  ) throws -> Follower {
    var configuration = Configuration(input: InputConfiguration(.instance(logPath)))
    configuration.outputs = outputs
    configuration.process.spoolBytes = 64 << 20
    configuration.process.drainSeconds = 0.1
    configuration.process.monitor = RunMonitor(say: { [messages] line in messages.withLock { $0.append(line) }
    })
    configure(&configuration)
    var control = RunControl(
      configuration, mailbox: mailbox, clock: clock.clock, source: reloads ? self.configuration.source : nil)
    let opened = try control.openOutputs()
    let instance = try control.attach(.instance(logPath), by: nil)
    return Follower(try Run(control, opened, canWait: false), instance, by: nil)
  }
}

extension Follower {
  /// Steps the run until something has happened, at most a thousand times.
  mutating func step(until hasHappened: (FollowEvent) -> Bool) throws -> FollowEvent {
    for _ in 0..<1000 {
      let event = try step()
      if hasHappened(event) { return event }
    }
    throw SupportError("a thousand looks at the log, and it hasn't happened")
  }

  /// Steps the run until everything in the log has been read.
  mutating func catchUp() throws {
    _ = try step { if case .read(isIdle: true) = $0 { true } else { false } }
  }

  /// Steps the run until a log is attached.
  mutating func attach() throws {
    _ = try step { if case .attached = $0 { true } else { false } }
  }

  /// The accounts of the outputs, after the end.
  func finalAccounts() -> [Ledger] {
    (0..<run.routes.count).map { run.routes[$0].account(isFinal: true) }
  }
}
