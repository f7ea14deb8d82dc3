import TestSupport
import Testing

/// The output of `spillway inspect` for the single file of servers before 5.2.
@Suite(.needs(.spillway))
struct InspectSectionTests {
  private typealias Section = SharedMemoryBytes.Section

  private static func write(_ bytes: [UInt8], _ name: String, in folder: TemporaryDirectory) throws -> String
  {
    try writeFile(folder.file(name), bytes)
    return folder.file(name)
  }

  private static func column(_ document: [String: Any], _ name: String) throws -> [String?] {
    try InspectTests.members(document, "sections", name)
  }

  @Test func `2.1 tells its processes, its turns and the parts of its file`() throws {
    let folder = try TemporaryDirectory()
    let file = SharedMemoryBytes.flat(master: 0, child: 1, birth: 1_700_000_000, turns: 3, pointer: 100)
    let json = try InspectTests.document([Self.write(file, "_.vsl", in: folder)])
    #expect(json["layout"] as? String == "2.1" && json["generation"] as? String == "2.1")
    #expect(try Self.column(json, "class") == ["Stat", "Params", "Log"])
    let ring = try #require(json["ring"] as? [String: Any])
    #expect(ring["turns"] as? Int == 3 && ring["writer_byte"] as? Int == 100 && ring["bytes"] as? Int == 8192)
    // The manager has ended properly, and process 1 isn't its worker.
    #expect(try InspectTests.members(json, "writers", "may_run") == [false, false])
    #expect(try InspectTests.members(json, "writers", "pid") == [nil, 1])
  }

  @Test func `3.0 lists its sections, those that cool and what is free`() throws {
    let folder = try TemporaryDirectory()
    var log = [UInt8](repeating: 0, count: 4096)
    log.replaceSubrange(0..<8, with: [7, 0, 0, 0, 0x45, 0x45, 0x45, 0xFF])
    let file = SharedMemoryBytes.sections([
      Section(kind: "Stat"), Section(kind: "Log", payload: log),
      Section(kind: "Cool", type: "LCK", name: "sma"),
      Section(kind: "Free"),
    ])
    let json = try InspectTests.document([Self.write(file, "_.vsm", in: folder)])
    #expect(json["layout"] as? String == "3.0" && json["sections_problem"] is String == false)
    #expect(try Self.column(json, "class") == ["Stat", "Log", "Cool", "Free"])
    #expect(try Self.column(json, "state") == ["live", "live", "cooling", "free"])
    #expect(try Self.column(json, "type")[2] == "LCK" && Self.column(json, "ident")[2] == "sma")
    let ring = try #require(json["ring"] as? [String: Any])
    #expect(ring["writer_byte"] as? Int == 0 && ring["bytes"] as? Int == 4092)
  }

  @Test func `4_1 lists its chunks, and one that was given back`() throws {
    let folder = try TemporaryDirectory()
    let chunks = [
      Section(kind: "Arg", type: "-T"), Section(kind: "Stat", type: "LCK", name: "gone", isFreed: true),
      Section(kind: "Log", payload: SharedMemoryBytes.ring), Section(kind: "Stat", type: "MAIN"),
    ]
    let file = try Self.write(SharedMemoryBytes.chunks(chunks, listNumber: 7), "_.vsm", in: folder)
    let json = try InspectTests.document([file])
    #expect(json["generation"] as? String == "4.1 to 5.1" && json["age_seconds"] as? Int == 12)
    #expect(try Self.column(json, "class") == ["Arg", "Log", "Stat", "Stat"])
    #expect(try Self.column(json, "state") == ["live", "live", "live", "cooling"])
    #expect(try Self.column(json, "ident").last == "gone")
    let ring = try #require(json["ring"] as? [String: Any])
    #expect(ring["turns"] as? Int == 1 && ring["writer_byte"] as? Int == 2 * 256)
    #expect(try InspectTests.members(ring, "segments", "number") == [8, 9, 10, 3, 4, 5, 6, 7])
    #expect(try InspectTests.members(json, "writers", "may_run") == [Bool?.none])
    // No server advances the age of a copied file.
    let watched = try InspectTests.run(["-n", folder.path, "--watch", "1ms"])
    #expect(watched.text.contains("doesn't run, doesn't count its file's age"))
    let abandoned = try Self.write(SharedMemoryBytes.chunks(chunks, listNumber: 0), "old.vsm", in: folder)
    #expect(try InspectTests.run([abandoned]).text.contains("has let go of the file"))
  }

  @Test func `a list that leads nowhere, or in a circle, is shown as far as it goes`() throws {
    let folder = try TemporaryDirectory()
    let chunks = [Section(kind: "Log", payload: SharedMemoryBytes.ring), Section(kind: "Stat", type: "MAIN")]
    var file = SharedMemoryBytes.chunks(chunks, listNumber: 7, loops: true)
    let circle = try InspectTests.document([Self.write(file, "_.vsm", in: folder)])
    #expect(circle["sections_problem"] as? String == "the list leads back to byte 48")
    #expect(try Self.column(circle, "class") == ["Log", "Stat"])
    file.replaceSubrange(48 + 16..<48 + 24, with: [UInt8](repeating: 0xFF, count: 8))
    let broken = try InspectTests.document([Self.write(file, "_.vsm", in: folder)])
    #expect(
      (broken["sections_problem"] as? String)?.hasPrefix("the list leads to byte 18446744073709551615")
        == true)
    #expect(try Self.column(broken, "class") == ["Log"])
    // Without a log, the rest is shown, and the reason.
    file.replaceSubrange(48..<56, with: [UInt8](repeating: 0, count: 8))
    let none = try InspectTests.run([Self.write(file, "_.vsm", in: folder)])
    #expect(none.status == 1 && none.text.contains("no chunk begins at byte 48") && !none.errorText.isEmpty)
  }
}
