import Glibc
import LogWriterSupport
import LogWriting
import TestSupport
import Testing
import VarnishLog

/// Writers that are killed, and readers that were there before and stay.
///
/// `SPILLWAY_WRITER_KILLS` and `SPILLWAY_WRITER_LOGS` change how many.
@Suite(.limit(minutes: 10))
struct CrashTests {
  private static func setting(_ name: String, default value: Int) -> Int {
    getenv(name).flatMap { Int(String(cString: $0)) } ?? value
  }

  /// Reads until `condition` holds; what it read must all be whole.
  private static func read(
    _ reader: inout TrafficReader, into total: inout TrafficReader.Take,
    until condition: (TrafficReader.Take) -> Bool
  ) throws {
    let limit = Deadline.after(.seconds(60))
    while true {
      // No more than there is at once, or a busy writer keeps us here.
      let take = reader.read(most: 200)
      try #require(take.problems.isEmpty)
      total.numbers += take.numbers
      total.losses += take.losses
      total.attachments += take.attachments
      if condition(total) { return }
      try #require(!limit.hasPassed)
    }
  }

  @Test(arguments: ["narrow", "wide", "single"])
  func `a reader stays through the kills of its writers and reads no torn record`(format: String) async throws
  {
    try await onOwnThread {
      let kills = Self.setting("SPILLWAY_WRITER_KILLS", default: 12)
      let directory = try TemporaryDirectory()
      let numbering: TagNumbering = format == "narrow" ? .v41 : .v73
      // Nothing comes twice.
      var known: [UInt64: Int] = [:]
      var reader = TrafficReader(directory.path, numbering: numbering)
      var random = SeededGenerator(seed: 11)
      var slowest = 0
      for round in 1...kills {
        let peer = try WriterPeer()
        try peer.order("open \(format) 65536 \(directory.path)")
        try peer.order("flood 3")
        // Attached to the new log at the first look, and reading from it.
        var total = TrafficReader.Take()
        let began = Self.milliseconds
        try Self.read(&reader, into: &total) { $0.attachments == 1 && !$0.numbers.isEmpty }
        slowest = max(slowest, Self.milliseconds - began)
        // The kill comes anywhere in the writer's work.
        let enough = Int.random(in: 1...2000, using: &random)
        try Self.read(&reader, into: &total) { $0.numbers.count >= enough }
        try peer.kill()
        let rest = reader.read()
        try #require(rest.problems.isEmpty, "round \(round), \(random)")
        for number in total.numbers + rest.numbers {
          try #require(known[number] != round, "\(number) came twice, round \(round), \(random)")
          known[number] = round
        }
        let isStale = reader.isStale()
        #expect(!isStale, "what a dead writer leaves is its log until another is made")
      }
      print("\(format): \(kills) kills, read from the next log within \(slowest) ms")
    }
  }

  @Test(arguments: ["narrow", "wide", "single"])
  func `a reader follows through logs made anew and lists that change`(format: String) async throws {
    try await onOwnThread {
      let logs = Self.setting("SPILLWAY_WRITER_LOGS", default: 20)
      let directory = try TemporaryDirectory()
      var reader = TrafficReader(directory.path, numbering: format == "narrow" ? .v41 : .v73)
      let peer = try WriterPeer()
      for round in 0..<logs {
        try peer.order("open \(format) 65536 \(directory.path)")
        let first = UInt64(round * 50)
        try peer.order("write 2 \(first) 25")
        try peer.order("churn 5 0")
        try peer.order("write 2 \(first + 25) 25")
        var total = TrafficReader.Take()
        try Self.read(&reader, into: &total) { $0.numbers.count == 50 }
        #expect(total.attachments == 1 && total.losses == 0)
        #expect(total.numbers.sorted() == Array(first..<first + 50))
        try peer.order("close")
      }
      try peer.kill()
    }
  }

  private static var milliseconds: Int {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return time.tv_sec * 1000 + time.tv_nsec / 1_000_000
  }

  /// What making a log, and changing its list, asks of the system, by what changes something.
  private static let calls = [
    "flock", "ftruncate", "mkdirat", "fallocate", "write", "renameat", "unlinkat",
  ]

  @Test(.needs(.program("strace")), arguments: ["narrow", "single"], calls)
  func `a writer that is killed at a system call leaves a place for the next`(
    format: String, call: String
  ) async throws {
    try await onOwnThread {
      let directory = try TemporaryDirectory()
      // Something to be removed as well.
      let before = try WriterPeer()
      try before.order("open \(format) 65536 \(directory.path)")
      try before.kill()
      for number in 1...40 {
        let peer = try WriterPeer(
          wrapper: [
            "strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=\(call)", "-e",
            "inject=\(call):signal=KILL:when=\(number)",
          ])
        let opened = try peer.ask("open \(format) 65536 \(directory.path)")
        let churned = opened == nil ? nil : try peer.ask("churn 15 0")
        // A tracer that is killed lets go of what it traced; so the last of them is asked to go.
        try peer.tell("die")
        try peer.process.wait(by: .after(.seconds(10)))
        // A reader finds a log or none, never half of one.
        var reader = TrafficReader(directory.path, numbering: .v41)
        #expect(reader.read().problems.isEmpty, "\(call) \(number)")
        let writer = try LogWriter(directory: directory.path, options: Self.options(format))
        WriterThreads.write(0..<10, threads: 1, to: writer)
        #expect(writer.statistics.writes == 10)
        let take = reader.read()
        #expect(take.numbers.count == 10 && take.attachments == 1, "\(call) \(number)")
        writer.close()
        if churned != nil { return }
      }
      Issue.record("never came through")
    }
  }

  private static func options(_ format: String) -> LogWriterOptions {
    var options = LogWriterOptions(LogFormats.named(format) ?? .singleFile)
    options.logByteCount = 1 << 16
    options.textByteCountMax = 1000
    options.batchByteCount = 4096
    return options
  }
}
