import Glibc
@testable import Pipeline
import Platform
import Rendering
import Shipping
import TestSupport
import Testing

/// A run whose configuration is reloaded while it goes on: every line must be in one output or the other.
struct ReloadTests {
  private let stage: Stage

  init() throws { stage = try Stage() }

  /// Begins a run with some outputs, and has it deliver some lines.
  private func begin(_ outputs: [OutputConfiguration]) throws -> Follower {
    var follower = try stage.follower(outputs, reloads: true)
    try follower.attach()
    try write(10, &follower)
    return follower
  }

  private func write(_ count: Int, _ follower: inout Follower) throws {
    try stage.write(count)
    try follower.catchUp()
  }

  /// Ends the run, and returns the accounts that it printed, by the outputs' names.
  private func end(_ follower: inout Follower) -> (outcome: RunOutcome, accounts: [String: String]) {
    let outcome = follower.end()
    let accounts = stage.said.compactMap { line -> (String, String)? in
      guard let start = line.firstRange(of: ": seen=") else { return nil }
      return (String(line[..<start.lowerBound]), String(line[start.lowerBound...].dropFirst(2)))
    }
    return (outcome, Dictionary(accounts) { $1 })
  }

  @Test func `what didn't change is the same output as before, and its account goes on`() throws {
    var follower = try begin([stage.named("stays")])
    let output = follower.output(0)
    for round in 1...5 {
      try stage.reload(&follower, [stage.named("stays")])
      let (names, present) = (follower.names, follower.output(0))
      #expect(names == ["stays"] && present === output && output != nil)
      try write(round, &follower)
    }
    let (outcome, accounts) = end(&follower)
    #expect(outcome == .complete)
    #expect(try stage.lines("stays") == stage.written)
    #expect(accounts == ["stays": "seen=25 written=25 filtered=0 dropped=0 lost=0"])
    #expect(stage.said.filter { $0 == "it.yaml: read again: no output has changed" }.count == 5)
  }

  @Test func `a removed output has all up to the reload, and a new one all from then on`() throws {
    var follower = try begin([stage.named("stays"), stage.named("goes")])
    try stage.reload(&follower, [stage.named("comes"), stage.named("stays")])
    let names = follower.names
    #expect(names == ["comes", "stays"])
    try follower.goOn { $0.retired.isEmpty }
    // The removed output has ended, in the middle of the run.
    #expect(stage.said.contains("goes (ended): seen=10 written=10 filtered=0 dropped=0 lost=0"))
    try write(7, &follower)
    let (outcome, accounts) = end(&follower)
    #expect(outcome == .complete)
    #expect(try stage.lines("stays") == stage.written)
    #expect(try stage.lines("goes") == Array(stage.written[..<10]))
    #expect(try stage.lines("comes") == Array(stage.written[10...]))
    #expect(accounts["comes"] == "seen=7 written=7 filtered=0 dropped=0 lost=0")
    #expect(
      accounts["outputs that reloads have ended (1)"] == "seen=10 written=10 filtered=0 dropped=0 lost=0")
    #expect(stage.said.contains("it.yaml: read again: comes new; goes removed"))
  }

  @Test(arguments: [false, true])
  func `a changed output's lines follow on those of the one before it`(hasDirectory: Bool) throws {
    func output(_ format: String) -> OutputConfiguration {
      var output = stage.named("file", format: format)
      if hasDirectory { output.spoolDirectory = stage.directory.file("spool") }
      return output
    }
    var follower = try begin([output("%U"), stage.named("stays")])
    for round in 1...4 {
      try stage.reload(&follower, [output("%U \(round)"), stage.named("stays")])
      // Some lines before the output is open, some afterwards.
      try write(20, &follower)
      try follower.goOn { !$0.hasUnsettledRoutes }
      try write(20, &follower)
    }
    let (outcome, accounts) = end(&follower)
    #expect(outcome == .complete)
    #expect(try stage.lines("stays") == stage.written)
    let expected = stage.written.enumerated().map { index, path in
      index < 10 ? path : "\(path) \((index - 10) / 40 + 1)"
    }
    #expect(try stage.lines("file") == expected)
    #expect(accounts["file"] == "seen=40 written=40 filtered=0 dropped=0 lost=0")
    #expect(
      accounts["outputs that reloads have ended (4)"] == "seen=130 written=130 filtered=0 dropped=0 lost=0")
    #expect(stage.said.filter { $0 == "it.yaml: read again: file changed" }.count == 4)
  }

  @Test(arguments: [false, true])
  func `what is to follow waits in memory until the former output is through`(hasDirectory: Bool) throws {
    let path = stage.directory.file("pipe")
    try #require(mkfifo(path, 0o600) == 0)
    let reader = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
    defer { close(reader) }
    func output(_ format: String) -> OutputConfiguration {
      var output = stage.named("pipe", format: format)
      if hasDirectory { output.spoolDirectory = stage.directory.file("spool") }
      return output
    }
    var follower = try stage.follower([output("%U one")], reloads: true) { $0.process.drainSeconds = 60 }
    try follower.attach()
    // More than a pipe holds.
    for _ in 0..<100 { try write(100, &follower) }
    try stage.reload(&follower, [output("%U two")])
    for _ in 0..<10 { try write(100, &follower) }
    var (present, waits) = (follower.output(0), follower.run.hasUnsettledRoutes)
    #expect(present == nil && waits)
    // Another change, of an output that isn't open yet.
    try stage.reload(&follower, [output("%U three")])
    for _ in 0..<10 { try write(100, &follower) }
    (present, waits) = (follower.output(0), follower.run.retired.count == 2)
    #expect(present == nil && waits)
    var text: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    try follower.goOn { run in
      let count = read(reader, &buffer, buffer.count)
      if count > 0 { text += buffer[..<count] }
      return run.retired.isEmpty && !run.hasUnsettledRoutes && run.routes[0].account().queued == 0
    }
    let (outcome, _) = end(&follower)
    while case let count = read(reader, &buffer, buffer.count), count > 0 { text += buffer[..<count] }
    #expect(outcome == .complete)
    let lines = String(decoding: text, as: UTF8.self).split(separator: "\n").map(String.init)
    let expected = stage.written.enumerated().map { index, path in
      "\(path) \(index < 10_000 ? "one" : index < 11_000 ? "two" : "three")"
    }
    #expect(lines == expected)
  }

  @Test func `a name that goes to another file begins there at once`() throws {
    var follower = try begin([stage.named("file")])
    var other = stage.named("other")
    other.name = "file"
    try stage.reload(&follower, [other])
    let present = follower.output(0)
    #expect(present != nil)
    try write(5, &follower)
    let (outcome, _) = end(&follower)
    #expect(outcome == .complete)
    #expect(try stage.lines("file") + stage.lines("other") == stage.written)
  }

  @Test func `a file that this run has written to is never emptied`() throws {
    var follower = try begin([stage.named("stays"), stage.named("file")])
    try stage.reload(&follower, [stage.named("stays")])
    try follower.goOn { $0.retired.isEmpty }
    try write(5, &follower)
    try stage.reload(&follower, [stage.named("stays"), stage.named("file")])
    try write(5, &follower)
    let (outcome, _) = end(&follower)
    #expect(outcome == .complete)
    #expect(try stage.lines("file") == Array(stage.written[..<10] + stage.written[15...]))
  }

  @Test func `a mistake changes nothing, and all of it is said`() throws {
    var follower = try begin([stage.named("stays")])
    let output = follower.output(0)
    try stage.reload(&follower, .mistakes(["it.yaml:3:1: a: one", "it.yaml:4:1: b: two"]))
    var hopeless = stage.named("hopeless")
    hopeless.target = .file(FileOptions(path: stage.directory.file("none/there")))
    // The outputs that could be opened aren't used, either.
    try stage.reload(&follower, [stage.named("fine"), hopeless, stage.named("stays", format: "%s")])
    let (names, present) = (follower.names, follower.output(0))
    #expect(names == ["stays"] && present === output && output != nil)
    try write(5, &follower)
    let (outcome, _) = end(&follower)
    #expect(outcome == .complete)
    #expect(try stage.lines("stays") == stage.written)
    #expect(try stage.lines("fine").isEmpty)
    #expect(stage.said.contains("it.yaml:3:1: a: one") && stage.said.contains("it.yaml:4:1: b: two"))
    #expect(stage.said.contains("it.yaml: 2 mistakes; the running configuration goes on"))
    let path = stage.directory.file("none/there")
    let beginning = "hopeless: Can't open output file (No such file or directory): \(path)"
    #expect(stage.said.contains { $0.hasPrefix(beginning) }, "\(stage.said)")
    #expect(stage.said.contains("it.yaml: a mistake; the running configuration goes on"))
  }

  @Test func `what a running process keeps is named, and the rest is taken over`() throws {
    var follower = try begin([stage.named("stays")])
    try stage.reload(&follower, [stage.named("stays"), stage.named("comes")]) {
      $0.input.timeoutSeconds = 3
      $0.process.pidFile = "/run/other.pid"
      $0.process.statusSocket = .path("/run/other.sock")
      $0.process.resume = "/run/other.checkpoint"
      $0.process.drainSeconds = 7
    }
    let said = stage.said.filter {
      $0.hasSuffix("counts from the next start on; the running process keeps it")
    }
    #expect(said.map { $0.split(separator: ":")[1] } == [" input", " pid-file", " status-socket", " resume"])
    let (process, names) = (follower.run.control.configuration.process, follower.names)
    #expect(process.pidFile == nil && process.resume == nil && process.drainSeconds == 7)
    #expect(names == ["stays", "comes"])
    let (outcome, _) = end(&follower)
    #expect(outcome == .complete)
  }

  @Test func `a reload that is asked for during another one comes after it, once`() throws {
    var follower = try begin([stage.named("stays")])
    var other = follower.run.control.configuration
    other.outputs = [stage.named("stays"), stage.named("first")]
    stage.configuration.set(.configuration(other))
    stage.configuration.hold(true)
    stage.mailbox.post(.hangup)
    try follower.step()
    for _ in 0..<5 {
      stage.mailbox.post(.hangup)
      // The reader doesn't wait for the configuration to be read.
      try write(3, &follower)
    }
    stage.configuration.hold(false)
    try follower.goOn { $0.reload == nil }
    #expect(stage.configuration.readCount == 2)
    let names = follower.names
    #expect(names == ["stays", "first"])
    let (outcome, _) = end(&follower)
    #expect(outcome == .complete)
    #expect(try stage.lines("stays") == stage.written)
  }

  @Test func `what was made ready for another log is made ready again`() throws {
    var comes = stage.named("comes")
    comes.spoolDirectory = stage.directory.file("spool")
    var follower = try stage.follower([stage.named("stays")], reloads: true)
    var other = follower.run.control.configuration
    other.outputs = [stage.named("stays"), comes]
    stage.configuration.set(.configuration(other))
    stage.configuration.hold(true)
    stage.mailbox.post(.hangup)
    follower.run.handleCommands()
    // There was no log yet.
    try follower.attach()
    try stage.write(3)
    try follower.catchUp()
    stage.configuration.hold(false)
    try follower.goOn { $0.reload == nil }
    #expect(stage.configuration.readCount == 2)
    try write(4, &follower)
    let (outcome, _) = end(&follower)
    #expect(outcome == .complete)
    #expect(try stage.lines("stays") == stage.written)
    #expect(try stage.lines("comes") == Array(stage.written.suffix(4)), "\(stage.said)")
  }

  @Test func `an end during a reload is an end`() throws {
    var follower = try begin([stage.named("stays")])
    stage.configuration.hold(true)
    stage.mailbox.post(.hangup)
    try follower.step()
    stage.mailbox.post(.end)
    while !follower.run.isEnding { try follower.step() }
    let (outcome, _) = end(&follower)
    #expect(outcome == .complete)
    stage.configuration.hold(false)
    #expect(try stage.lines("stays") == stage.written)
  }

  @Test(arguments: 0..<20)
  func `a reload at any step loses nothing and doubles nothing`(at: Int) throws {
    var follower = try stage.follower([stage.named("stays"), stage.named("file")], reloads: true)
    var other = follower.run.control.configuration
    other.outputs = [stage.named("file", format: "%U x"), stage.named("stays"), stage.named("comes")]
    stage.configuration.set(.configuration(other))
    for step in 0..<30 {
      if step == at { stage.mailbox.post(.hangup) }
      // The server restarts during some of the steps.
      if step == 6 || step == 14 {
        try stage.restartWriter()
        _ = try follower.step { if case .lost = $0 { true } else { false } }
        try follower.attach()
      }
      try stage.write(3)
      try follower.step()
    }
    try follower.goOn { $0.reload == nil && !$0.hasUnsettledRoutes }
    try stage.reload(&follower, .mistakes(["it.yaml:1:1: no"]))
    try stage.write(3)
    try follower.catchUp()
    let (outcome, _) = end(&follower)
    #expect(outcome == .complete)
    let all = try stage.lines("stays")
    #expect(all == Array(stage.written.suffix(all.count)))
    #expect(try stage.lines("file").map { String($0.split(separator: " ")[0]) } == all)
    let comes = try stage.lines("comes")
    #expect(comes == Array(all.suffix(comes.count)) && comes.count < all.count)
    #expect(try stage.lines("file").filter { $0.hasSuffix(" x") }.count == comes.count)
  }
}
