import Glibc
@testable import Platform
@testable import Shipping
@testable import Spool
import TestSupport

/// The program with a spool on disk and a consumer that reads only when a test lets it.
final class SpoolRun {
  /// A log with more lines than fit into memory; each line identifies itself.
  struct Log {
    var path: String
    let lines: [String]
    let bytes: [UInt8]

    init(_ path: String, first: Int = 0, count: Int) throws(SupportError) {
      self.path = path
      var builder = LogFileBuilder()
      var lines: [String] = []
      for number in first..<first + count {
        let line = "/\(number)/" + String(repeating: "x", count: 300 + number % 100)
        lines.append(line)
        builder.add(UInt64(number + 1), .client, "Begin", "req 1 rxreq")
        builder.add(UInt64(number + 1), .client, "ReqURL", line)
        builder.add(UInt64(number + 1), .client, "End")
      }
      self.lines = lines
      bytes = builder.bytes
      try writeFile(path, bytes)
    }
  }

  /// The least possible memory: four blocks.
  static let memory = ["--spool-memory", "1M"]
  /// The maximum number of lines in a batch.
  static let linesInBlock = (256 << 10) / 300

  let child: ChildProcess
  private let messages: OutputPipe
  private let consumer: OutputPipe

  /// Starts the program; the consumer sleeps at first.
  init(
    _ log: Log, spool: String, _ arguments: [String] = [], point: String? = nil
  ) throws(SupportError) {
    // Only the program that was built with the tests has fault points.
    var subject = try Subject.found()
    if point != nil, let built = Subject.builtWithTests { subject = built }
    var command = subject.ncsa(
      ["-r", log.path, "-F", "%U", "--stats", "--spool-dir", spool] + Self.memory + arguments)
    command.environment = ["SPILLWAY_COMPAT": nil, "SPILLWAY_FAULT_POINT": point]
    command.output = .unread
    child = try ChildProcess(command)
    guard let messages = child.errorOutput, let consumer = child.output else {
      throw SupportError("no pipes")
    }
    self.messages = messages
    self.consumer = consumer
  }

  /// Waits until all of the log has been read, or the program has ended.
  func waitUntilRead(_ log: Log) throws(SupportError) {
    let isRead = try poll(until: .after(.seconds(60))) { () throws(SupportError) in
      // Before the program is prepared for the signal, the signal would end it.
      if child.awaits(SIGUSR2) { child.signal(SIGUSR2) }
      return !child.isRunning || messages.text.contains("seen=\(log.lines.count) ")
    }
    guard isRead else { throw SupportError("not all is read: \(messages.text)") }
  }

  /// Waits for a message of the program that contains a text.
  func waitForMessage(_ text: String) throws(SupportError) {
    try messages.line(containing: text, by: .after(.seconds(60)))
  }

  /// The messages up to now, without accounting lines.
  var said: [String] {
    messages.text.split(separator: "\n").map(String.init).filter { !$0.contains(" seen=") }
  }

  /// The figures of the last accounting line.
  var figures: [String: Int] {
    let line = messages.text.split(separator: "\n").last { $0.contains(" seen=") } ?? ""
    return line.split(separator: " ").reduce(into: [:]) { figures, field in
      let parts = field.split(separator: "=")
      if parts.count == 2 { figures[String(parts[0])] = Int(parts[1]) }
    }
  }

  func wakeConsumer() { consumer.wake() }
  func closeConsumer() { consumer.closeEnd() }

  /// Waits for the end; returns what the consumer got, as whole lines and the beginning of another.
  func end(by deadline: Deadline = .after(.seconds(60))) throws(SupportError) -> Ended {
    let end = try child.wait(by: deadline)
    consumer.wake()
    try consumer.waitForEnd(by: deadline)
    try messages.waitForEnd(by: deadline)
    var lines = consumer.text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    let rest = lines.popLast() ?? ""
    return Ended(end: end, lines: lines, rest: rest, said: said, figures: figures)
  }

  /// The result of a run.
  struct Ended {
    let end: TestSupport.ProcessEnd
    let lines: [String]
    /// The beginning of an unfinished line.
    let rest: String
    let said: [String]
    let figures: [String: Int]
  }

  /// Runs to the end with a consumer that reads everything.
  static func runToEnd(
    _ log: Log, spool: String, _ arguments: [String] = [], point: String? = nil
  ) throws(SupportError) -> Ended {
    let run = try SpoolRun(log, spool: spool, arguments, point: point)
    run.wakeConsumer()
    return try run.end()
  }

  /// The sequences of the entries that are in whole frames in a directory.
  static func entries(onDisk directory: String) throws -> Set<Int> {
    var sequences: Set<Int> = []
    for number in directoryEntries(directory).compactMap(SpoolFile.number) {
      guard case .found(let file) = try SpoolFile.find(number, in: directory, system: .real)
      else { continue }
      for (_, frame) in try file.frames() { sequences.formUnion(frame.firstSequence..<frame.endSequence) }
    }
    return sequences
  }
}
