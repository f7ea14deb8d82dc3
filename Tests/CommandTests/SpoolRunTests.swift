import Glibc
import TestSupport
import Testing

/// A stuck consumer, and a spool on disk: entries that can't be delivered come first in the next run.
@Suite(.serialized, .needs(.spillway), .limit(minutes: 5))
struct SpoolRunTests {
  private let home: TestSupport.TemporaryDirectory
  private let log: SpoolRun.Log
  private let next: SpoolRun.Log
  private var spool: String { home.file("spool") }

  init() throws {
    home = try TestSupport.TemporaryDirectory()
    log = try SpoolRun.Log(home.file("log"), count: 20_000)
    next = try SpoolRun.Log(home.file("next"), first: 20_000, count: 10)
  }

  @Test func `a consumer that sleeps for a while gets everything, in order`() async throws {
    try await onOwnThread {
      let run = try SpoolRun(log, spool: spool)
      try run.waitUntilRead(log)
      #expect(!directoryEntries(spool).filter { $0.hasPrefix("spool-") }.isEmpty)
      run.wakeConsumer()
      let ended = try run.end()
      #expect(ended.end.status == 0)
      #expect(ended.lines == log.lines)
      #expect(ended.figures["written"] == log.lines.count)
      #expect(ended.said == [])
      #expect(directoryEntries(spool) == ["cursor"])
    }
  }

  @Test(arguments: [SIGTERM, SIGINT])
  func `a signal ends it in time, and the next run delivers what is left`(signal: Int32) async throws {
    try await onOwnThread {
      let run = try SpoolRun(log, spool: spool, ["--drain", "1s"])
      try run.waitUntilRead(log)
      run.child.signal(signal)
      let ended = try run.end(by: .after(.seconds(15)))
      let written = try #require(ended.figures["written"])
      let kept = try #require(ended.figures["kept"])
      #expect(ended.end.status == 0)
      #expect(ended.said == [])
      #expect(ended.figures["dropped"] == 0)
      #expect(written + kept == log.lines.count)
      #expect(ended.lines == Array(log.lines[..<written]))
      #expect(log.lines[written].hasPrefix(ended.rest))

      let later = try SpoolRun.runToEnd(next, spool: spool)
      #expect(later.end.status == 0)
      #expect(later.lines == log.lines[written...] + next.lines)
      #expect(later.figures["inherited"] == kept)
      #expect(later.figures["written"] == kept + next.lines.count)
      #expect(later.said == ["spillway: \(spool): \(kept) lines of an earlier run go first"])
      let last = try SpoolRun.runToEnd(next, spool: spool)
      #expect(last.lines == next.lines)
      #expect(last.figures["inherited"] == nil)
    }
  }

  @Test func `what no disk has room for is counted, and the rest is kept`() async throws {
    try await onOwnThread {
      let run = try SpoolRun(log, spool: spool, ["--drain", "1s", "--spool-disk", "2M"])
      try run.waitForMessage("Disk quota exceeded")
      run.child.signal(SIGTERM)
      let ended = try run.end(by: .after(.seconds(15)))
      let written = try #require(ended.figures["written"])
      let kept = try #require(ended.figures["kept"])
      let dropped = try #require(ended.figures["dropped"])
      #expect(dropped > 0)
      #expect(ended.figures["seen"] == written + kept + dropped)
      #expect(ended.end.status == 5)
      let later = try SpoolRun.runToEnd(next, spool: spool)
      #expect(later.figures["inherited"] == kept)
      #expect(later.lines.count == kept + next.lines.count)
    }
  }

  @Test func `a consumer that goes away leaves the rest to the next run`() async throws {
    try await onOwnThread {
      // The consumer goes away when the disk is full and the input waits.
      let run = try SpoolRun(log, spool: spool, ["--spool-disk", "2M"])
      try run.waitForMessage("Disk quota exceeded")
      run.closeConsumer()
      let ended = try run.end(by: .after(.seconds(30)))
      #expect(ended.said.contains { $0.hasSuffix("Broken pipe (the consumer went away)") }, "\(ended.said)")
      let kept = try #require(ended.figures["kept"])
      let later = try SpoolRun.runToEnd(next, spool: spool)
      #expect(later.figures["inherited"] == kept)
      #expect(later.lines.count == kept + next.lines.count)
    }
  }

  @Test func `two runs can't spool in one place`() async throws {
    try await onOwnThread {
      let run = try SpoolRun(log, spool: spool)
      try run.waitUntilRead(log)
      let second = try SpoolRun.runToEnd(next, spool: spool)
      #expect(second.end.status == 1)
      #expect(second.said == ["spillway: spool: \(spool)/cursor: lock: another process spools here"])
      run.child.signal(SIGKILL)
      _ = try run.end()
      // The locks of a killed process are gone.
      #expect(try SpoolRun.runToEnd(next, spool: spool).end.status == 0)
    }
  }

  @Test func `a directory that can't be made ends the run`() async throws {
    try await onOwnThread {
      let ended = try SpoolRun.runToEnd(next, spool: home.file("none/spool"))
      #expect(ended.end.status == 1)
      #expect(
        ended.said == [
          "spillway: spool: \(home.file("none/spool")): mkdir: No such file or directory; "
            + "there is no \(home.file("none"))"
        ])
    }
  }
}
