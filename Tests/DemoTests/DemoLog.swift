import Glibc
import TestSupport
import VarnishLog

/// The complete log of a demonstration that can't end by itself, because no process reads its lines.
final class DemoLog {
  let path: String
  private let home: TemporaryDirectory
  private let child: ChildProcess

  /// Waits until this many requests are in the log, each with all its records.
  init(requests: Int, seed: Int) throws(SupportError) {
    home = try TemporaryDirectory()
    path = home.file("log")
    // Far more text than a pipe holds, so that the demonstration waits at its end.
    let format = String(repeating: "%r %{User-agent}i ", count: 8)
    var command = try DemoRun.command([
      "-n", path, "--count", "\(requests)", "--rate", "1000000", "--seed", "\(seed)", "-F", format,
    ])
    command.output = .unread
    child = try ChildProcess(command)
    var counts: (lines: Int, open: Int) = (0, 0)
    let isComplete = try poll(every: .milliseconds(250), until: .after(.seconds(60))) {
      () throws(SupportError) in
      let records = try self.records()
      let begun = records.count { $0.tag == "Begin" }
      counts = (
        records.count { $0.tag == "Begin" && $0.text.hasSuffix(" rxreq") },
        begun - records.count { $0.tag == "End" }
      )
      return counts.lines == requests && counts.open == 0
    }
    guard isComplete else { throw SupportError("\(counts.lines) requests, \(counts.open) transactions open") }
  }

  deinit { child.signal(SIGTERM) }

  /// A record as text.
  struct Record {
    let vxid: Int
    let tag: Substring
    let text: Substring
  }

  /// All records, in the order of the log.
  func records() throws(SupportError) -> [Record] {
    try log(["-g", "raw"]).split(separator: "\n").compactMap { line in
      let parts = line.split(separator: " ", maxSplits: 3, omittingEmptySubsequences: true)
      guard parts.count >= 3, let vxid = Int(parts[0]) else { return nil }
      return Record(vxid: vxid, tag: parts[1], text: parts.count > 3 ? parts[3] : "")
    }
  }

  /// The output of `spillway log` for this log.
  func log(_ arguments: [String]) throws(SupportError) -> String {
    try ProcessRunner.run(try Subject.found().log(["-n", path, "-d"] + arguments)).text
  }

  /// The output of another program for this log.
  func log(by program: String, _ arguments: [String]) throws(SupportError) -> String {
    try ProcessRunner.run(Command(program, ["-n", path, "-d"] + arguments)).text
  }
}
