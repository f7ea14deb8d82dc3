import Glibc
import TestSupport

/// The program under test, following a live instance.
struct Follower {
  let child: ChildProcess
  private let varnish: VarnishInstance
  private let isReference: Bool

  /// Starts the program with `-n` and `arguments`; each line that it writes is the path of a request.
  ///
  /// - Parameter wrapper: A command line to put in front, such as that of a tracer.
  init(
    _ varnish: VarnishInstance, _ arguments: [String], output: Command.Output = .collected,
    wrapper: [String] = []
  ) throws(SupportError) {
    let subject = try Subject.found()
    var command = subject.ncsa(["-n", varnish.directory, "-F", "%U"] + arguments)
    if let tracer = wrapper.first {
      command.arguments = wrapper.dropFirst() + [command.executable] + command.arguments
      command.executable = tracer
    }
    command.output = output
    child = try ChildProcess(command)
    self.varnish = varnish
    isReference = subject.isReference
  }

  /// Its standard output.
  var output: OutputPipe {
    get throws(SupportError) {
      guard let output = child.output else { throw SupportError("standard output is no pipe") }
      return output
    }
  }

  /// Its standard error.
  var messages: OutputPipe {
    get throws(SupportError) {
      guard let output = child.errorOutput else { throw SupportError("standard error is no pipe") }
      return output
    }
  }

  // MARK: - Attaching

  /// Sends a request for `/probe/0`, which tallies ignore.
  func probe() throws(SupportError) {
    _ = try LoadClient.run(LoadPlan(port: varnish.port, prefix: "probe", count: 1))
  }

  /// Sends probes until `condition` holds: for conditions that come true with the first lines.
  func probe(
    until condition: () throws(SupportError) -> Bool
  ) throws(SupportError) {
    let happened = try poll(until: .after(.seconds(20))) { () throws(SupportError) in
      try probe()
      return try poll(until: .after(.milliseconds(1500)), condition)
    }
    guard happened else { throw SupportError("nothing came of the probes: \(try messages.text)") }
  }

  /// Waits until the program follows the log, which shows as a probe on standard output.
  func attach() throws(SupportError) {
    let output = try output
    try probe { () throws(SupportError) in output.text.contains("/probe/") }
  }

  /// Waits until the program follows the log, which shows as a probe in its files.
  func attach(_ files: OutputFiles) throws(SupportError) {
    try probe { () throws(SupportError) in try files.text().contains("/probe/") }
  }

  // MARK: - Accounting

  /// Requests an accounting line and returns its figures.
  func accounting() throws(SupportError) -> Accounting {
    let messages = try messages
    let isReady = try poll(until: .after(.seconds(10))) { () throws(SupportError) in
      child.awaits(SIGUSR2)
    }
    guard isReady else { throw SupportError("SIGUSR2 would kill it: \(messages.text)") }
    messages.skipLines()
    child.signal(SIGUSR2)
    let line = try messages.line(containing: "seen=", by: .after(.seconds(5)))
    guard let figures = Accounting(line) else { throw SupportError("no accounting: \(line)") }
    return figures
  }

  /// The figures of the newest accounting line.
  func lastAccounting() throws(SupportError) -> Accounting {
    let lines = try messages.text.split(separator: "\n")
    guard let figures = lines.reversed().lazy.compactMap({ Accounting($0) }).first else {
      throw SupportError("no accounting in: \(try messages.text)")
    }
    return figures
  }

  /// The lines on standard error, without accounting lines.
  func complaints() throws(SupportError) -> [String] {
    try messages.text.split(separator: "\n").filter { Accounting($0) == nil }.map(String.init)
  }

  // MARK: - Ending

  /// Waits until the program has dealt with a load, and then ends it: every line must be written, even those
  /// that are still on their way.
  func finish(_ report: LoadReport, _ files: OutputFiles) throws(SupportError) -> ProcessEnd {
    if isReference {
      try waitForLines(report, files)
    } else {
      try waitForFigures(report)
    }
    let end = try child.terminate(by: .after(.seconds(20)))
    try messages.waitForEnd(by: .after(.seconds(5)))
    return end
  }

  private func waitForLines(_ report: LoadReport, _ files: OutputFiles) throws(SupportError) {
    let limit = Deadline.after(.seconds(20))
    _ = try poll(every: .milliseconds(200), until: limit) { () throws(SupportError) in
      var tally = LineTally(report.plan)
      for bytes in try files.contents() { tally.add(bytes) }
      return tally.lineCount >= report.answeredCount
    }
  }

  /// Waits until at least as many lines are written as requests were answered, and the figures no longer
  /// change: probes and uncertain requests count as well.
  private func waitForFigures(_ report: LoadReport) throws(SupportError) {
    var previous: Accounting?
    let limit = Deadline.after(.seconds(20))
    _ = try poll(every: .milliseconds(250), until: limit) { () throws(SupportError) in
      let figures = try accounting()
      defer { previous = figures }
      return figures.written >= report.answeredCount && figures == previous
    }
  }
}
