import Rendering
import Glibc
@testable import Pipeline
import Platform
import Shipping
import TestSupport
import Testing

/// A run in a single thread: the test decides when the log is written, read and restarted.
struct FollowerTests {
  private let stage: Stage

  init() throws { stage = try Stage() }

  @Test func `what is written after the attaching is delivered, once and in order`() throws {
    var follower = try stage.follower([stage.file("all")])
    try follower.attach()
    for _ in 0..<10 {
      try stage.write(7)
      try follower.catchUp()
    }
    #expect(follower.end() == .complete)
    #expect(try stage.lines("all") == stage.written)
    #expect(follower.finalAccounts().map(\.description) == ["seen=70 written=70 filtered=0 dropped=0 lost=0"])
  }

  @Test func `an overrun is counted in bytes, said once, and reading goes on behind it`() throws {
    var follower = try stage.follower([stage.file("all")])
    try follower.attach()
    try stage.write(10)
    try follower.catchUp()
    // More than the log holds.
    try stage.write(2000)
    let event = try follower.step { if case .overrun = $0 { true } else { false } }
    guard case .overrun(let lostBytes) = event else { return }
    #expect(lostBytes > 0)
    try follower.catchUp()
    try stage.write(5)
    try follower.catchUp()
    #expect(follower.end() == .incomplete)
    let account = follower.finalAccounts()[0]
    #expect(account.lostBytes == lostBytes)
    #expect(account.written == account.seen && account.seen < stage.written.count)
    // The estimate is based on the bytes read so far; paths that come later are longer.
    let missing = stage.written.count - account.seen
    #expect(abs(account.lost - missing) <= missing / 4)
    let lines = try stage.lines("all")
    #expect(Array(lines.prefix(10)) == Array(stage.written.prefix(10)))
    #expect(Array(lines.suffix(5)) == Array(stage.written.suffix(5)))
    #expect(stage.said.filter { $0.hasPrefix("Log overrun: \(lostBytes) bytes") }.count == 1)
  }

  @Test func `a restarted writer's log is read from its beginning`() throws {
    var follower = try stage.follower([stage.file("all")])
    try follower.attach()
    try stage.write(20)
    try follower.catchUp()
    // The last records of the old log must be read before the new log.
    try stage.write(3)
    try stage.restartWriter()
    try stage.write(30)
    _ = try follower.step { if case .lost = $0 { true } else { false } }
    let event = try follower.step { if case .attached = $0 { true } else { false } }
    if case .attached(let isNew) = event { #expect(isNew) }
    try follower.catchUp()
    #expect(follower.end() == .complete)
    #expect(try stage.lines("all") == stage.written)
    #expect(stage.said.contains("Log abandoned (vsl)") && stage.said.contains("Log reacquired"))
  }

  @Test func `a log that is gone for a while is said once, and read from its beginning when it is there`()
    throws
  {
    var follower = try stage.follower([stage.file("all")])
    try follower.attach()
    try stage.write(4)
    try follower.catchUp()
    stage.stopWriter()
    _ = try follower.step { if case .lost = $0 { true } else { false } }
    for _ in 0..<20 {
      guard case .absent = try follower.step() else {
        Issue.record("there is no log")
        return
      }
    }
    try stage.startWriter()
    try stage.write(6)
    try follower.attach()
    try follower.catchUp()
    #expect(follower.end() == .complete)
    #expect(try stage.lines("all") == stage.written)
    #expect(
      stage.said.filter { $0.hasPrefix("Failed to acquire log") || $0.contains("no server has") }.count == 1)
  }

  @Test func `an output that takes nothing costs the one beside it nothing`() throws {
    let pipe = try makePipe(blocks: false)
    defer { for end in [pipe.readEnd, pipe.writeEnd] { close(end) } }
    let stuck = stage.output(.descriptor(pipe.writeEnd, name: "stuck"), spoolBytes: 1 << 20)
    var follower = try stage.follower([stuck, stage.file("all")])
    try follower.attach()
    // More than the pipe and the spool hold.
    for _ in 0..<2000 {
      try stage.write(100)
      try follower.catchUp()
    }
    stage.mailbox.post(.end)
    follower.run.handleCommands()
    _ = follower.end()
    #expect(try stage.lines("all") == stage.written)
    let accounts = follower.finalAccounts()
    #expect(accounts[1].description == "seen=200000 written=200000 filtered=0 dropped=0 lost=0")
    #expect(accounts[0].seen == 200_000 && accounts[0][.spoolFull] > 0 && accounts[0].written > 0)
    #expect(accounts[0].seen == accounts[0].written + accounts[0].filtered + accounts[0].dropped)
  }

  @Test func `each output has its own selection, and one scan serves them all`() throws {
    var errors = stage.file("errors")
    errors.queries = [Array("RespStatus >= 500".utf8)]
    var third = stage.file("third")
    third.sample = Sample(1, of: 3)
    var few = stage.file("few")
    few.groupsMax = 8
    var whole = stage.file("groups")
    whole.shown = .groups(.text(isVerbose: false))
    var follower = try stage.follower([stage.file("all"), errors, third, few, whole])
    try follower.attach()
    for _ in 0..<10 {
      try stage.write(50)
      try follower.catchUp()
    }
    #expect(follower.end() == .complete)
    #expect(try stage.lines("all") == stage.written)
    #expect(
      try stage.lines("errors") == stage.written.enumerated().filter { $0.offset % 5 == 0 }.map(\.element))
    #expect(try stage.lines("few") == Array(stage.written.prefix(8)))
    #expect(try stage.lines("groups").filter { $0.contains("ReqURL") }.count == 500)
    let accounts = follower.finalAccounts()
    #expect(accounts[1][.unwanted] == 400)
    #expect(accounts[2][.sampledOut] == 500 - accounts[2].written)
    #expect((130..<205).contains(accounts[2].written))
    for account in accounts { #expect(account.seen == account.written + account.filtered + account.dropped) }
  }

  /// Performs a step of a run that meets restarts and an overrun.
  private static func play(_ step: Int, on stage: Stage) throws {
    switch step {
    case 6, 14: try stage.restartWriter()
    case 10: try stage.write(2000)
    default: break
    }
    try stage.write(3)
  }

  @Test(arguments: 0..<24)
  func `an end at any step leaves whole lines and accounts that add up`(last: Int) throws {
    var follower = try stage.follower([stage.file("first"), stage.file("second")])
    var step = 0
    while !follower.run.isEnding {
      if step == last { stage.mailbox.post(.end) }
      try Self.play(step, on: stage)
      try follower.step()
      step += 1
      try #require(step < last + 50)
    }
    _ = follower.end()
    let accounts = follower.finalAccounts()
    for (name, account) in zip(["first", "second"], accounts) {
      #expect(account.seen == account.written + account.filtered + account.dropped && account.dropped == 0)
      let lines = try stage.lines(name)
      #expect(lines.count == account.written)
      // In order, each at most once, and none that was never written.
      let numbers = lines.compactMap { Int($0.dropFirst()) }
      #expect(numbers.count == lines.count && zip(numbers, numbers.dropFirst()).allSatisfy(<))
    }
    #expect(try stage.lines("first") == stage.lines("second"))
  }

  @Test func `a flush and a report at every step change nothing that is delivered`() throws {
    var follower = try stage.follower([stage.file("all")])
    try follower.attach()
    for _ in 0..<20 {
      try stage.write(5)
      stage.mailbox.post(.flush)
      stage.mailbox.post(.report)
      stage.mailbox.post(.hangup)
      try follower.step()
    }
    try follower.catchUp()
    #expect(follower.end() == .complete)
    #expect(try stage.lines("all") == stage.written)
    #expect(stage.said.filter { $0.hasPrefix("seen=") }.count == 21)
  }
}

/// How a run reports its losses: in its accounts, and in the output itself.
struct LossTests {
  private let stage: Stage

  init() throws { stage = try Stage() }

  @Test func `a gap is marked once, in front of what comes next, with its count and its time`() throws {
    var marked = stage.file("marked")
    marked.marksGaps = true
    var follower = try stage.follower([marked])
    try follower.attach()
    try stage.write(10)
    try follower.catchUp()
    stage.clock.advance(nanoseconds: 5_000_000_000)
    try stage.write(2000)
    _ = try follower.step { if case .overrun = $0 { true } else { false } }
    try follower.catchUp()
    stage.clock.advance(nanoseconds: 5_000_000_000)
    try stage.write(5)
    try follower.catchUp()
    _ = follower.end()
    let lines = try stage.lines("marked")
    let marks = lines.indices.filter { lines[$0].hasPrefix("#") }
    #expect(marks == [10])
    let account = follower.finalAccounts()[0]
    #expect(account.marks == 1 && account.seen == account.written)
    let mark = try #require(marks.first.map { lines[$0] })
    #expect(mark.hasPrefix("# spillway gap: cause=overrun count="))
    #expect(mark.contains(" estimate=true first=2023-11-14T22:30:0"))
    let missing = stage.written.count - (lines.count - 1)
    let words = mark.split(separator: " ")
    let count = try #require(words.compactMap { Int($0.dropFirst("count=".count)) }.first)
    #expect(abs(count - missing) <= missing / 4)
  }

  @Test func `a gap in JSON is an object, and where there was no room it is exact`() throws {
    let pipe = try makePipe(blocks: false)
    defer { for end in [pipe.readEnd, pipe.writeEnd] { close(end) } }
    var output = stage.output(.descriptor(pipe.writeEnd, name: "slow"), spoolBytes: 1 << 20)
    var formatting = OutputConfiguration.LineFormatting()
    formatting.format = .text(Array(#"{"url": "%U"}"#.utf8))
    formatting.isJSON = true
    output.shown = .lines(formatting)
    output.marksGaps = true
    var follower = try stage.follower([output])
    try follower.attach()
    while follower.run.routes[0].ledger[.spoolFull] == 0 {
      try stage.write(100)
      try follower.catchUp()
    }
    let lost = follower.run.routes[0].ledger[.spoolFull]
    // The consumer reads again, and so makes room.
    var text: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    let limit = Deadline.after(.seconds(30))
    while follower.run.routes[0].ledger.marks == 0 {
      let count = read(pipe.readEnd, &buffer, buffer.count)
      if count > 0 { text += buffer[..<count] }
      try stage.write(1)
      try follower.catchUp()
      try #require(!limit.hasPassed)
    }
    let all = follower.run.routes[0].ledger[.spoolFull]
    #expect(all >= lost)
    follower.run.publish()
    while follower.run.routes[0].account().queued > 0 {
      let count = read(pipe.readEnd, &buffer, buffer.count)
      if count > 0 { text += buffer[..<count] }
      try #require(!limit.hasPassed)
    }
    _ = follower.end()
    while case let count = read(pipe.readEnd, &buffer, buffer.count), count > 0 { text += buffer[..<count] }
    let lines = String(decoding: text, as: UTF8.self).split(separator: "\n")
    let marks = lines.filter { $0.contains("spillway_gap") }
    let beginning = #"{"spillway_gap":{"cause":"spool_full","count":"#
    let counts = marks.compactMap { Int($0.dropFirst(beginning.count).prefix { $0.isNumber }) }
    // Room may come and go; each time a mark gives the number of lines that were lost by then.
    #expect(!marks.isEmpty && marks.allSatisfy { $0.hasPrefix(beginning) })
    #expect(marks.allSatisfy { $0.contains(#""estimate":false"#) })
    #expect(counts.reduce(0, +) == all)
    #expect(follower.finalAccounts()[0][.spoolFull] == all)
  }

  @Test func `reports come at their time, and their numbers add up`() throws {
    var follower = try stage.follower([stage.file("one"), stage.file("two")]) {
      $0.process.report = ProcessConfiguration.Report(seconds: 60, format: .json)
    }
    try follower.attach()
    for _ in 0..<3 {
      try stage.write(4)
      try follower.catchUp()
      stage.clock.advance(nanoseconds: 60_000_000_000)
      try follower.step()
    }
    let reports = stage.said.filter { $0.hasPrefix("{") }
    #expect(reports.count == 6)
    #expect(reports.filter { $0.contains("\"seen\":12,") }.count == 2)
    #expect(reports.first?.hasPrefix("{\"output\":\"\(stage.directory.file("one"))\",\"seen\":4,") == true)
    _ = follower.end()
  }
}
