import Foundation
import Synchronization
import TestSupport
import Testing

/// `spillway inspect`.
@Suite(.needs(.spillway))
struct InspectTests {
  static func run(_ arguments: [String]) throws -> ProcessResult {
    try ProcessRunner.run(TestSupport.Command(try Subject.found().path, ["inspect"] + arguments))
  }

  /// The JSON document of a log that can be read to its end.
  static func document(_ arguments: [String]) throws -> [String: Any] {
    let result = try run(arguments + ["--json"])
    #expect(result.status == 0 && result.errorText.isEmpty, "\(result.errorText)")
    return try #require(try JSONSerialization.jsonObject(with: Data(result.output)) as? [String: Any])
  }

  /// The JSON document of a live log that a thread of the test writes.
  ///
  /// On a machine that is busy the thread may not run for a while, so the log is watched longer and longer until
  /// something was written meanwhile.
  static func watchedDocument(_ arguments: [String]) throws -> [String: Any] {
    for interval in ["300ms", "3s"] {
      let json = try document(arguments + ["--watch", interval])
      let rate = (json["rates"] as? [[String: Any]])?.first
      if rate?["bytes"] as? Double ?? 0 > 0 { return json }
    }
    return try document(arguments + ["--watch", "30s"])
  }

  /// The members of some name in an array of objects.
  static func members<Value>(_ document: [String: Any], _ array: String, _ name: String) throws -> [Value?] {
    try #require(document[array] as? [[String: Any]]).map { $0[name] as? Value }
  }

  @Test func `a copied directory tells who wrote it, when, and what is in it`() async throws {
    try await onOwnThread {
      let copy = try Fixture.named("frozen-8.0").path("instance")
      let result = try Self.run([copy])
      #expect(result.status == 0 && result.errorText.isEmpty)
      for part in [
        "form: ring, VSLHEAD2", "generation: 7.3 to 8.0", "manager: process ", ", doesn't run",
        "ring: 1048480 bytes", "so the ring lasts ", "  req rxreq", " worker ", "  Log ",
        "segments, of 131060 bytes:",
      ] {
        #expect(result.text.contains(part), "\(part)")
      }
      let json = try Self.document([copy])
      #expect(json["generation"] as? String == "7.3 to 8.0" && json["layout"] as? String == "VSLHEAD2")
      #expect((json["transactions"] as? [String: Int])?["req rxreq"] ?? 0 > 0)
      #expect(try Self.members(json, "writers", "role") == ["manager", "worker"])
      #expect(try Self.members(json, "writers", "may_run") == [false, false])
      #expect(try Set(Self.members(json, "sections", "owner")) == ["manager", "worker"])
      #expect(try Self.run(["-n", copy, "--watch", "0"]).output == result.output)
    }
  }

  @Test func `the eighths of a ring are numbered, and the next one to be written over is told`() async throws
  {
    try await onOwnThread {
      let json = try Self.document([try Fixture.named("frozen-7.1").path("instance")])
      let ring = try #require(json["ring"] as? [String: Any])
      let numbers: [Int] = try Self.members(ring, "segments", "number").compactMap(\.self)
      let states: [String] = try Self.members(ring, "segments", "state").compactMap(\.self)
      let offsets: [Int] = try Self.members(ring, "segments", "first_byte").compactMap(\.self)
      let (newest, turns) = (try #require(numbers.max()), try #require(ring["turns"] as? Int))
      #expect(numbers.sorted() == Array(newest - 7...newest) && turns == newest / 8)
      let current = try #require(numbers.firstIndex(of: newest))
      #expect(states[current] == "written" && states[(current + 1) % 8] == "next")
      #expect(states.filter { $0 == "whole" }.count == 6)
      #expect(offsets == offsets.sorted())
      let writer = try #require(ring["writer_byte"] as? Int)
      #expect(writer >= offsets[current] && (current == 7 || writer <= offsets[current + 1]))
    }
  }

  @Test func `a line of an index is shown with what became of it and of its file`() async throws {
    try await onOwnThread {
      let instance = try SampleWorkdir()
      _ = try instance.startWorker()
      let child = "\(instance.path)/_.vsm_child"
      let index = "\(child)/_.index"
      try writeFile("\(child)/_.Stat.short", [1, 2, 3])
      try writeFile("\(child)/_.Stat.left", [1, 2, 3, 4])
      let added = """
        + _.Stat.short 0 64 Stat MAIN
        + _.Stat.gone 0 64 Stat LCK.a
        + _.Stat.back 0 8 Stat LCK.b
        - _.Stat.back 0 8 Stat LCK.b
        - _.Stat.never 0 8 Stat LCK.c

        """
      try writeFile(index, try readFile(index) + added.utf8)
      let json = try Self.document([instance.path])
      let sections = try #require(json["sections"] as? [[String: Any]])
      func state(_ file: String) -> String? {
        sections.first { $0["file"] as? String == file }?["state"] as? String
      }
      #expect(state("_.Stat.short") == "cut" && state("_.Stat.gone") == "missing")
      #expect(state("_.Stat.back") == "removed" && state("_.Stat.left") == "unlisted")
      #expect(
        sections.filter { $0["state"] as? String == "live" }.map { $0["class"] as? String } == ["Arg", "Log"])
      #expect(json["sections_problem"] as? String == "lines of the indexes that list nothing: 1")
    }
  }

  @Test func `a file is counted record by record, up to where it is damaged`() throws {
    let folder = try TemporaryDirectory()
    let path = folder.file("log.vsl")
    let log = LogFileBuilder(
      lines: "2 c Begin req 1 rxreq\n2 c ReqURL /a\n2 c End\n4 b Begin bereq 2 fetch\n4 b End\n6 c ReqURL /b")
    try log.write(to: path)
    let whole = try Self.run([path])
    #expect(whole.status == 0)
    for part in [
      "form: binary log, VSL", "records: 6, ", "1  req rxreq", "1  bereq fetch", "2  Begin", "2  ReqURL",
    ] {
      #expect(whole.text.contains(part), "\(part)")
    }
    #expect(!whole.text.contains("rate:") && !whole.text.contains("cut"))
    try writeFile(path, log.bytes.dropLast(3))
    let cut = try Self.run([path])
    #expect(cut.status == 1 && cut.text.contains("records: 5, ") && cut.errorText.contains("byte offset"))
    let none = try Self.run([])
    #expect(none.status == 1 && none.errorText == "spillway: Give either an input or -n\n")
    #expect(try Self.run([path, "--watch", "1s"]).errorText == "spillway: --watch needs -n\n")
  }

  // MARK: Rates

  @Test func `a file's rate is what lies between the ends of its transactions`() throws {
    let folder = try TemporaryDirectory()
    var log = LogFileBuilder()
    for (number, seconds) in [(2, 10), (4, 12), (6, 14)] {
      // The second began long before it ended.
      log.add(
        lines: """
          \(number) c Begin req 1 rxreq
          \(number) c Timestamp Start: 17000000\(number == 4 ? 5 : seconds).000000 0.0 0.0
          \(number) c Timestamp Resp: 17000000\(seconds).000000 0.0 0.0
          \(number) c End
          """)
    }
    try log.write(to: folder.file("log.vsl"))
    let json = try Self.document([folder.file("log.vsl")])
    let rate = try #require((json["rates"] as? [[String: Any]])?.first)
    #expect(rate["basis"] as? String == "records" && rate["seconds"] as? Double == 4)
    #expect(rate["bytes_per_second"] as? Double == Double(log.byteCount - 4) / 4)
    #expect(rate["ring_seconds"] is NSNull)
  }

  @Test func `a live ring is watched, and lasts as long as it takes to fill it`() async throws {
    try await onOwnThread {
      let instance = try SampleWorkdir()
      let ring = try instance.startWorker(eighthWords: 4096)
      let records = SampleRecord.parse(
        "2 c Begin req 1 rxreq\n2 c ReqURL /\(String(repeating: "a", count: 200))\n2 c End", tags: .v7)
      let isDone = Done()
      detachThread {
        while !isDone.value {
          ring.append(batch: records)
          usleep(1000)
        }
        isDone.hasStopped = true
      }
      defer { isDone.value = true }
      let json = try Self.watchedDocument(["-n", instance.path])
      let rate = try #require((json["rates"] as? [[String: Any]])?.first)
      let seconds = try #require(rate["seconds"] as? Double), bytes = try #require(rate["bytes"] as? Double)
      #expect(rate["basis"] as? String == "sample" && seconds >= 0.3 && bytes > 0)
      let speed = try #require(rate["bytes_per_second"] as? Double)
      let lasts = try #require(rate["ring_seconds"] as? Double)
      #expect(abs(speed - bytes / seconds) < speed / 100)
      #expect(abs(lasts - Double(4096 * 4 * 8) / speed) < lasts / 50 + 0.01)
    }
  }

  @Test func `nothing is said of how long a ring lasts that isn't written`() async throws {
    try await onOwnThread {
      let instance = try SampleWorkdir()
      _ = try instance.startWorker()
      let result = try Self.run(["-n", instance.path, "--watch", "10ms"])
      #expect(result.text.contains("rate: 0 bytes/s; watched for "))
      #expect(!result.text.contains("lasts"))
      #expect(try !Self.run(["-n", instance.path, "--watch", "0"]).text.contains("rate:"))
    }
  }

  private final class Done: Sendable {
    private let state = Mutex((isWanted: false, hasStopped: false))
    var value: Bool {
      get { state.withLock { $0.isWanted } }
      set { state.withLock { $0.isWanted = newValue } }
    }
    var hasStopped: Bool {
      get { state.withLock { $0.hasStopped } }
      set { state.withLock { $0.hasStopped = newValue } }
    }
  }
}
