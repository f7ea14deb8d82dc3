import Glibc
import TestSupport
import Testing

/// A spool on a file system that fails for a while: there is one message, and nothing is lost.
@Suite(.serialized, .needs(.spillway), .limit(minutes: 5))
struct SpoolFileSystemTests {
  private let home: TestSupport.TemporaryDirectory
  private let log: SpoolRun.Log
  private var spool: String { home.file("spool") }

  init() throws {
    home = try TestSupport.TemporaryDirectory()
    log = try SpoolRun.Log(home.file("log"), count: 30_000)
  }

  /// Lets the consumer read, and checks that everything came once and in order.
  private func finish(_ run: SpoolRun, saying expected: [String]) throws {
    run.wakeConsumer()
    let ended = try run.end()
    #expect(ended.end.status == 0)
    // Compared outside the expectation, so that thousands of lines aren't printed.
    let isWhole = ended.lines == log.lines && ended.rest.isEmpty
    #expect(isWhole, "\(ended.lines.count) of \(log.lines.count)")
    #expect(ended.said.count == expected.count, "\(ended.said)")
    for (line, text) in zip(ended.said, expected) { #expect(line.contains(text), "\(ended.said)") }
  }

  private func hasSpilled() -> Bool { directoryEntries(spool).contains { $0.hasPrefix("spool-") } }

  @Test(.needs(.mount))
  func `a disk that fills up and is freed again costs nothing`() async throws {
    try await onOwnThread {
      let disk = try MountedFileSystem(byteCount: 32 << 20)
      try disk.fill("filler")
      truncate(disk.file("filler"), 28 << 20)
      let run = try SpoolRun(log, spool: disk.file("spool"))
      try run.waitForMessage("No space left on device; lines stay in memory")
      unlink(disk.file("filler"))
      try run.waitForMessage("takes lines again")
      try run.waitUntilRead(log)
      try finish(run, saying: ["No space left on device", "takes lines again"])
    }
  }

  @Test(.needs(.mount))
  func `a disk that can only be read for a while costs nothing`() async throws {
    try await onOwnThread {
      let slow = try SlowLog(log, pipe: home.file("pipe"))
      let run = try SpoolRun(slow.log, spool: spool)
      try #require(try slow.feed(until: hasSpilled))
      var readOnly: MountedFileSystem? = try MountedFileSystem(readOnlyOver: spool)
      let isSaid = try slow.feed { run.said.contains { $0.contains("Read-only file system") } }
      #expect(isSaid, "\(run.said)")
      withExtendedLifetime(readOnly) {}
      readOnly = nil
      let isOver = try slow.feed { run.said.contains { $0.contains("takes lines again") } }
      #expect(isOver, "\(run.said)")
      run.wakeConsumer()
      try slow.finish(of: run)
      try finish(run, saying: ["Read-only file system; lines stay in memory", "takes lines again"])
    }
  }

  @Test func `a directory that is removed is made again`() async throws {
    try await onOwnThread {
      let slow = try SlowLog(log, pipe: home.file("pipe"))
      let run = try SpoolRun(slow.log, spool: spool)
      try #require(try slow.feed(until: hasSpilled))
      #expect(try ProcessRunner.run("rm", "-rf", spool).status == 0)
      #expect(try slow.feed(until: hasSpilled))
      try slow.finish(of: run)
      try finish(run, saying: [])
    }
  }

  @Test func `a directory that can't be made again is waited for`() async throws {
    try await onOwnThread {
      mkdir(home.file("disk"), 0o755)
      let spool = home.file("disk/spool")
      let slow = try SlowLog(log, pipe: home.file("pipe"))
      let run = try SpoolRun(slow.log, spool: spool)
      try #require(try slow.feed { directoryEntries(spool).count > 1 })
      #expect(try ProcessRunner.run("rm", "-rf", home.file("disk")).status == 0)
      #expect(try slow.feed { run.said.contains { $0.contains("No such file or directory") } })
      mkdir(home.file("disk"), 0o755)
      #expect(try slow.feed { run.said.contains { $0.contains("takes lines again") } })
      try slow.finish(of: run)
      try finish(run, saying: ["mkdir: No such file or directory", "takes lines again"])
    }
  }

  @Test func `what is kept is kept even if the directory was removed meanwhile`() async throws {
    try await onOwnThread {
      let run = try SpoolRun(log, spool: spool, ["--drain", "1s"])
      try run.waitUntilRead(log)
      #expect(try ProcessRunner.run("rm", "-rf", spool).status == 0)
      run.child.signal(SIGTERM)
      let ended = try run.end()
      let written = try #require(ended.figures["written"])
      let kept = try #require(ended.figures["kept"])
      #expect(written + kept == log.lines.count)
      let next = try SpoolRun.Log(home.file("next"), first: log.lines.count, count: 10)
      let later = try SpoolRun.runToEnd(next, spool: spool)
      let isWhole = later.lines == log.lines[written...] + next.lines
      #expect(isWhole, "\(later.lines.count) of \(kept)")
      #expect(later.figures["inherited"] == kept)
    }
  }
}
