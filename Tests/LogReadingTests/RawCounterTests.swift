import Glibc
import LogReading
import TestSupport
import Testing

/// The counters of releases before 5.2, whose memory doesn't describe them.
struct RawCounterTests {
  private static func sample(_ path: String) throws -> CounterSample? {
    var instance = InstanceFollower(path: path)
    instance.refresh()
    return try instance.sampleCounters()
  }

  private static func expectRaw(_ section: CounterSample.Section?, _ name: String, first: String) throws {
    let section = try #require(section)
    #expect(section.name == name && section.descriptions.isRaw)
    let counter = try #require(section.descriptions.counters.first)
    #expect(section.name(of: counter) == first && counter.kind == .unknown)
  }

  @Test func `2 1 has one list of words in its head`() throws {
    let home = try TemporaryDirectory()
    let server = try Server21(directory: home.path)
    let before = server.file.word(at: 4)
    // The layout of 2.1.5: 107 counters and the panic message.
    try #require(before == 40 + 107 * 8 + 65536)
    server.file.store(UInt64(123), at: 40 + 8 * 3)
    let sample = try #require(try Self.sample(home.path))
    try Self.expectRaw(sample.sections.first, "Stat", first: "Stat@40")
    #expect(sample.sections.first?.values.count == 107)
    #expect(sample.sections.first?.values[3] == 123 && sample.layout == .singleFile)
  }

  @Test func `3 0 has sections, which cool before their place is another's`() throws {
    let home = try TemporaryDirectory()
    let server = try Server30(directory: home.path)
    let sample = try #require(try Self.sample(home.path))
    try Self.expectRaw(sample.sections.first, "Stat", first: "Stat@0")
    #expect(sample.sections.first?.values.count == 98)
    server.beginChange()
    // A list that is being changed is read all the same, section by section.
    #expect(try Self.sample(home.path)?.sections.count == 1)
    server.endChange()
  }

  @Test func `4 1 has chunks, and none that was freed`() throws {
    let home = try TemporaryDirectory()
    let file = try ChunkFile(path: home.file("_.vsm"), byteCount: 1 << 16)
    _ = file.allocate("Stat", type: "MAIN", byteCount: 800)
    let gone = file.allocate("Stat", type: "VBE", name: "default", byteCount: 80)
    file.file.store(UInt64(5), at: gone.lowerBound + 8)
    try file.file.publish()
    let sample = try #require(try Self.sample(home.path))
    try Self.expectRaw(sample.sections.first, "MAIN", first: "MAIN@0")
    #expect(sample.sections.map(\.name) == ["MAIN", "VBE.default"])
    #expect(sample.sections[1].values.prefix(3) == [0, 5, 0])
    file.free("Stat")
    #expect(try Self.sample(home.path)?.sections.map(\.name) == ["MAIN"])
    file.abandon()
    #expect(try Self.sample(home.path) == nil)
  }
}
