import Checkpoints
import Foundation
import Platform
import Spool
import Synchronization
import TestSupport
import Testing
import VarnishLog

/// `spillway checkpoint`: its output for checkpoints, and for files that aren't checkpoints.
@Suite(.needs(.spillway))
struct CheckpointTests {
  private let home: TemporaryDirectory
  private let path: String

  init() throws {
    home = try TemporaryDirectory()
    path = home.file("checkpoint")
  }

  private func show(_ arguments: [String]) throws -> ProcessResult {
    try ProcessRunner.run(Command(try Subject.found().path, ["checkpoint"] + arguments))
  }

  /// The line about the machine's start; not every machine has an identifier of its start.
  private static let machine =
    CheckpointFile.presentBoot == nil
    ? "whether it was started again since isn't known, and taken as not"
    : "not started again since: all that is noted here counts"

  private func document() throws -> [String: Any] {
    let answer = try show(["--json", path])
    try #require(answer.status == 0, "\(answer.errorText)")
    return try #require(try JSONSerialization.jsonObject(with: Data(answer.output)) as? [String: Any])
  }

  private static let first = LogIncarnation(
    device: 7, inode: 98, writer: .init(pid: 4000, birth: 1_600_000_000))
  private static let second = LogIncarnation(
    device: 7, inode: 99, writer: .init(pid: 4711, birth: 1_700_000_000))

  /// The state noted by a run that has read two logs and has unfinished and forced transactions.
  private static let reading = ReadingStanding(
    logs: [LogSpan(first, start: 0), LogSpan(second, start: 1000)], through: 10_000, resumption: 9_000,
    unfinished: [.init(way: 3, vxid: 77, firstPlace: 8_500), .init(way: 3, vxid: 79, firstPlace: 600)],
    forced: [
      ForcedEnd(way: 3, vxid: 5, place: 9_100, reason: .timeout),
      ForcedEnd(way: 3, vxid: 6, place: 9_200, reason: .timeout),
      ForcedEnd(way: 3, vxid: 0, place: 9_300, reason: .flush),
    ])

  private static func file(_ place: UInt64, _ byteCount: Int, pending: OutputStanding.Pending? = nil)
    -> OutputStanding
  {
    OutputStanding(
      done: EntryMark(place: place, ordinal: 2), sequence: 40,
      place: OutputPlace(file: FileIdentity(device: 1, inode: 2), number: 4, byteCount: byteCount),
      pending: pending)
  }

  private func write() throws {
    let file = try CheckpointFile(path)
    #expect(file.makeReadingPart().note(Self.reading))
    let log = try file.makeOutputPart("/var/log/access.log")
    log.note(Self.file(9_050, 3_000))
    log.noteSynced()
    log.note(
      Self.file(
        9_400, 3_500,
        pending: .init(done: EntryMark(place: 9_500, ordinal: 0), sequence: 43, byteCount: 3_700)))
    try file.makeOutputPart("ssh loghost").note(OutputStanding(done: EntryMark(place: 9_000, ordinal: 0)))
    try file.makeOutputPart("new\nfile").note(
      OutputStanding(
        sequence: 0, place: OutputPlace(file: FileIdentity(device: 1, inode: 3), number: 0, byteCount: 0)))
  }

  @Test func `the text tells all that there is, and leaves the file as it is`() throws {
    try write()
    let before = try readFile(path)
    let result = try show([path])
    #expect(result.status == 0)
    #expect(result.errorText.isEmpty)
    let text = """
      checkpoint  \(path)
      machine     \(Self.machine)
      log         device 7, inode 99, of process 4711, begun 2023-11-14T22:13:20Z, behind 1 other
      read        up to byte 9000
      resumes     at byte 8000, for what was unfinished there at byte 600 of an earlier log, \
      device 7, inode 98, of process 4000, begun 2020-09-13T12:26:40Z
      unfinished  2 transactions there
      forced      3 transactions ended by force: 2 by timeout, 1 by flush

      /var/log/access.log
        done        up to byte 8400, and 2 entries there
        begun       a write of 3 entries, up to byte 8500; the file has 3700 bytes then
        file        device 1, inode 2, number 4, 3500 bytes
        on disk     up to byte 8050, and 2 entries there: device 1, inode 2, number 4, 3000 bytes

      ssh loghost
        done        up to byte 8000

      new\\nfile
        done        nothing
        file        device 1, inode 3, 0 bytes
        on disk     nothing that is known

      """
    #expect(result.text == text)
    #expect(try readFile(path) == before)
  }

  @Test func `the document tells the same`() throws {
    try write()
    let document = try document()
    #expect(document["path"] as? String == path)
    #expect((document["damage"] as? [String])?.isEmpty == true)
    #expect(document["boot"] as? String == CheckpointFile.presentBoot)
    #expect(document["is_present_boot"] as? Bool == (CheckpointFile.presentBoot == nil ? nil : true))
    let logs = try #require(document["logs"] as? [[String: Any]])
    #expect(logs.map { $0["inode"] as? Int } == [98, 99])
    #expect(logs.map { $0["pid"] as? Int } == [4000, 4711])
    #expect(logs.map { $0["first_place"] as? Int } == [0, 1000])
    #expect(logs.last?["start"] as? String == "2023-11-14T22:13:20Z")
    #expect(document["read_place"] as? Int == 10_000)
    #expect(document["resume_place"] as? Int == 9_000)
    #expect(document["start_place"] as? Int == 600)
    #expect(document["unfinished"] as? Int == 2)
    #expect(document["forced"] as? [String: Int] == ["timeout": 2, "limit": 0, "flush": 1])
    let outputs = try #require(document["outputs"] as? [[String: Any]])
    #expect(outputs.map { $0["name"] as? String } == ["/var/log/access.log", "ssh loghost", "new\nfile"])
    let log = outputs[0]
    #expect(log["done_place"] as? Int == 9_400)
    #expect(log["done_entries"] as? Int == 2)
    #expect(log["sequence"] as? Int == 40)
    #expect(log["file"] as? [String: Int] == ["device": 1, "inode": 2, "number": 4, "bytes": 3_500])
    #expect(
      log["begun"] as? [String: Int]
        == ["done_place": 9_500, "done_entries": 0, "sequence": 43, "bytes": 3_700])
    let synced = try #require(log["synced"] as? [String: Any])
    #expect(synced["done_place"] as? Int == 9_050)
    #expect((synced["file"] as? [String: Int])?["bytes"] == 3_000)
    #expect(outputs[1]["file"] is NSNull && outputs[1]["synced"] is NSNull)
  }

  @Test func `a checkpoint in which nothing was noted yet`() throws {
    _ = try CheckpointFile(path)
    let result = try show([path])
    #expect(result.status == 0)
    #expect(
      result.text == """
        checkpoint  \(path)
        machine     \(Self.machine)
        log         none has been read yet

        """)
    #expect((try document()["outputs"] as? [Any])?.isEmpty == true)
  }

  @Test func `what is damaged is said in a line each`() throws {
    try write()
    // Only one of the reader's copies is written; the output's newer copy holds the last state but one.
    let descriptor = open(path, O_RDWR)
    defer { close(descriptor) }
    var byte: UInt8 = 0xA5
    for copy in 0..<2 { pwrite(descriptor, &byte, 1, off_t(4096 + copy * (1 << 20) + 30)) }
    let result = try show([path])
    #expect(result.status == 0)
    #expect(result.text.contains("\ndamage      how the log was read is damaged, both copies\n"))
    #expect(result.text.contains("\nlog         none has been read yet\n"))
    #expect(result.text.contains("\n/var/log/access.log\n"))
    #expect(try document()["damage"] as? [String] == ["how the log was read is damaged, both copies"])
  }

  @Test func `what another process writes meanwhile is followed`() async throws {
    try await onOwnThread {
      try write()
      let (path, isOver) = (path, Flag())
      let ended = Flag()
      detachThread {
        defer { ended.set() }
        guard let file = try? CheckpointFile(path), let log = try? file.makeOutputPart("/var/log/access.log")
        else { return }
        let part = file.makeReadingPart()
        var place: UInt64 = 10_001
        while !isOver.isSet {
          var reading = Self.reading
          reading.through = place
          part.note(reading)
          log.note(Self.file(place, Int(place)))
          place += 1
          usleep(200)
        }
      }
      var last = 10_000
      for _ in 0..<20 {
        let document = try document()
        let damage = try #require(document["damage"] as? [String])
        // If the kernel stops the writer in the middle of a copy, this copy looks damaged for as long.
        if damage.contains(where: { $0.hasSuffix("both copies") }) { continue }
        let place = try #require(document["read_place"] as? Int)
        #expect(place >= last - 1, "what is read may be the copy before the newest")
        last = max(last, place)
      }
      isOver.set()
      #expect(last > 10_000)
      #expect(try poll(until: .after(.seconds(30))) { ended.isSet })
    }
  }

  @Test func `numbers at their limits and names that hide something are shown`() throws {
    do {
      let file = try CheckpointFile(path)
      let log = LogIncarnation(device: .max, inode: .max, writer: .init(pid: -1, birth: .max))
      file.makeReadingPart().note(
        ReadingStanding(
          logs: [LogSpan(log, start: 1 << 63)], through: 1 << 63, resumption: 0,
          forced: [ForcedEnd(way: .max, vxid: .max, place: 1 << 63, reason: .limit)]))
      let mark = EntryMark(place: 1 << 63, ordinal: .max)
      try file.makeOutputPart("\u{1b}[31m\u{202e}\"\n").note(
        OutputStanding(
          done: mark, sequence: 1 << 62 - 1,
          place: OutputPlace(
            file: FileIdentity(device: .max, inode: .max), number: .max, byteCount: .max),
          pending: .init(done: .start, sequence: 0, byteCount: .max)))
      try file.makeOutputPart("").note(OutputStanding())
    }
    let text = try show([path])
    #expect(text.status == 0, "\(text.errorText)")
    #expect(text.text.contains("device 18446744073709551615, inode 18446744073709551615, of process -1\n"))
    #expect(text.text.contains("\n\\x1b[31m\\u{202e}\"\\n\n"))
    #expect(text.text.contains("a write of 0 entries, nothing;"))
    let outputs = try #require(try document()["outputs"] as? [[String: Any]])
    #expect(outputs.map { $0["name"] as? String } == ["\u{1b}[31m\u{202e}\"\n", ""])
    #expect(outputs[0]["done_place"] as? UInt64 == 1 << 63)
  }

  @Test func `bytes of any kind make one line or an answer, and no change`() throws {
    try write()
    let whole = try readFile(path)
    let written = whole.indices.filter { whole[$0] != 0 }
    var random = SeededGenerator(seed: 1_128)
    for round in 0..<15 {
      var bytes = whole
      for _ in 0..<(1 << (round % 8)) {
        bytes[written.randomElement(using: &random) ?? 0] = UInt8.random(in: 0...255, using: &random)
      }
      if round % 8 == 7 { bytes.removeLast(Int.random(in: 1...whole.count, using: &random)) }
      try writeFile(path, bytes)
      for arguments in [[path], ["--json", path]] {
        let result = try show(arguments)
        if result.status == 0 {
          #expect(result.errorText.isEmpty && result.text.hasSuffix("\n"))
        } else {
          #expect(result.status == 1 && result.output.isEmpty)
          #expect(
            result.errorText == "spillway: \(path): is no checkpoint of this program, and is left as it is\n")
        }
      }
      #expect(try readFile(path) == bytes)
    }
  }

  @Test func `what is no checkpoint is one line`() throws {
    try writeFile(home.file("text"), "something else".utf8)
    try writeFile(home.file("empty"), [])
    try #require(mkfifo(home.file("pipe"), 0o600) == 0)
    for name in ["text", "empty", "pipe", "."] {
      let result = try show([home.file(name)])
      #expect(result.status == 1)
      #expect(result.output.isEmpty)
      #expect(
        result.errorText
          == "spillway: \(home.file(name)): is no checkpoint of this program, and is left as it is\n")
    }
    let none = try show(["--json", home.file("none")])
    #expect(none.status == 1)
    #expect(none.errorText.hasPrefix("spillway: ") && none.errorText.contains("No such file or directory"))
    #expect(none.errorText.split(separator: "\n").count == 1)
    #expect(try readText(home.file("text")) == "something else")
  }
}

/// A flag that several threads can set and read.
private final class Flag: Sendable {
  private let value = Atomic(false)
  var isSet: Bool { value.load(ordering: .acquiring) }
  func set() { value.store(true, ordering: .releasing) }
}
