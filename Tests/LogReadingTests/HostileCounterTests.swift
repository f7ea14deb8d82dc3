import Glibc
import LogReading
import TestSupport
import Testing

/// Counters whose sections, descriptions and indexes were not written by a server.
struct HostileCounterTests {
  /// An instance with one description and one section.
  private struct Instance {
    let home: TemporaryDirectory
    var path: String { home.file("instance") }

    init(document: [UInt8], section: [UInt8], byteCount: Int = 4096, index: String? = nil) throws {
      home = try TemporaryDirectory()
      for name in [path, path + "/_.vsm_mgt", path + "/_.vsm_child"] { mkdir(name, 0o755) }
      try writeFile(path + "/_.vsm_mgt/_.index", Array("# \(getpid()) 1\n".utf8))
      try writeFile(path + "/_.vsm_child/_.StatDoc.1", document)
      try writeFile(path + "/_.vsm_child/_.Stat.1", section)
      let lines = "+ _.StatDoc.1 0 \(document.count) StatDoc 7\n+ _.Stat.1 0 \(byteCount) Stat MAIN\n"
      try writeFile(path + "/_.vsm_child/_.index", Array((index ?? "# \(getpid()) 1\n\(lines)").utf8))
    }

    func sample() throws -> CounterSample? {
      var instance = InstanceFollower(path: path)
      instance.refresh()
      return try instance.sampleCounters()
    }
  }

  private static let counters = CounterServer.section(number: 7, [1, 0, 0, 0, 0, 0, 0, 0])

  private static func described(_ json: String) throws -> CounterSample.Section? {
    let document = CounterServer.section(number: 7, Array(json.utf8) + [0])
    return try Instance(document: document, section: counters).sample()?.sections.first
  }

  private static let noDescriptions: [String] = [
    "", "{", "{}", "[]", "null", "{\"elem\":", "{\"elem\":{\"a\":{\"index\":0}", "{\"elem\":{\"a\":7}}",
    "{\"elem\":{\"a\":{\"index\":\"0\"}}}", "{\"elem\":{\"a\":{\"index\":0,}}}", "{\"a\":\"\\u12\"}",
    "{\"a\":\"\\x\"}", "{\"a\":tru}", "{\"elem\" {}}", "{\"name\":{}}", "{\"a\":\"",
    String(repeating: "{\"a\":", count: 100_000), String(repeating: "[", count: 100_000),
    String(repeating: "{\"a\":[", count: 100_000),
  ]

  @Test(arguments: noDescriptions)
  func `what is no description describes nothing`(json: String) throws {
    let section = try #require(try Self.described(json))
    // A description without counters is valid, and the section then has no values; with any other text, the
    // words are shown raw.
    let raw = section.descriptions.counters.count > 100
    #expect(section.descriptions.isRaw ? raw : section.values.isEmpty)
  }

  private static let places: [(Int, UInt64?)] = [
    (0, 1), (8, 0), (4, 0), (4096 - 24 - 8, 0), (4096 - 24 - 7, nil), (4096, nil), (Int.max, nil),
    (Int.max - 7, nil),
  ]

  @Test(arguments: places)
  func `a counter that isn't in its section has no value`(offset: Int, value: UInt64?) throws {
    let section = try #require(
      try Self.described("{\"elem\":{\"a\":{\"type\":\"gauge\",\"index\":\(offset)}}}"))
    #expect(section.values == [value])
    #expect(
      section.descriptions.counters[0].kind == .gauge && section.descriptions.counters[0].format == .unknown)
  }

  @Test func `a place that is no number leaves a counter out`() throws {
    for index in ["-1", "1.5", "1e3", "99999999999999999999"] {
      #expect(try Self.described("{\"elem\":{\"a\":{\"index\":\(index)}}}")?.values.isEmpty == true)
    }
  }

  @Test func `texts are decoded, and halves of characters are replaced`() throws {
    let json =
      #"{"elem":{"k":{"index":0,"name":"n\u00e9\ud83d\ude00\ud83d\ud83dx\ude00\"\\\/\n","oneliner":"\t"}}}"#
    let counter = try #require(try Self.described(json)?.descriptions.counters.first)
    #expect(counter.name == "né😀\u{FFFD}\u{FFFD}x\u{FFFD}\"\\/\n" && counter.summary == "\t")
  }

  @Test(arguments: [0, 2, 3, UInt32.max]) func `a section that isn't ready isn't read`(ready: UInt32) throws {
    let document = CounterServer.section(number: 7, Array("{\"elem\":{\"a\":{\"index\":0}}}".utf8) + [0])
    let section = CounterServer.section(number: 7, ready: ready, [1])
    #expect(try Instance(document: document, section: section).sample()?.sections.isEmpty == true)
  }

  @Test func `lines that lead out of their file or directory lead nowhere`() throws {
    for line in [
      "_.Stat.1 0 4097 Stat MAIN", "_.Stat.1 4096 8 Stat MAIN", "_.Stat.1 \(Int.max) 8 Stat MAIN",
      "_.Stat.1 8 \(Int.max) Stat MAIN", "../_.vsm_child/_.Stat.1 0 4096 Stat MAIN", ".. 0 4096 Stat MAIN",
      "none 0 4096 Stat MAIN", "_.Stat.1 0 0 Stat MAIN", "_.Stat.1 0 23 Stat MAIN",
      "_.Stat.1 -8 4096 Stat MAIN",
    ] {
      let instance = try Instance(
        document: [], section: Self.counters, index: "# \(getpid()) 1\n+ \(line)\n")
      #expect(try instance.sample()?.sections.isEmpty == true, "\(line)")
    }
  }

  /// Any bytes give a sample that has a value, or none, for each counter.
  @Test func `damaged sections, descriptions and indexes are read to an end`() throws {
    var random = SeededGenerator(seed: 815)
    let json = """
      {"version":"1","name":"main","order":10,"elements":2,"elem":{"a":{"type":"counter","level":"info",\
      "oneliner":"A","format":"bytes","index":0,"name":"a","docs":"x"},"b":{"type":"gauge","index":8}}}
      """
    let document = CounterServer.section(number: 7, Array(json.utf8) + [0])
    let home = try TemporaryDirectory()
    let server = home.file("instance")
    for name in [server, server + "/_.vsm_mgt", server + "/_.vsm_child"] { mkdir(name, 0o755) }
    try writeFile(server + "/_.vsm_mgt/_.index", Array("# \(getpid()) 1\n".utf8))
    let index = Array(
      "# \(getpid()) 1\n+ _.StatDoc.1 0 4096 StatDoc 7\n+ _.Stat.1 0 4096 Stat MAIN\n+ _.Stat.1 0 64 Stat B\n"
        .utf8)
    var sections = 0
    for _ in 0..<1500 {
      for (name, bytes) in [("StatDoc.1", document), ("Stat.1", Self.counters), ("index", index)] {
        var damaged = bytes
        for _ in 0..<Int.random(in: 0...3, using: &random) {
          let limit = Bool.random(using: &random) ? min(64, damaged.count) : damaged.count
          damaged[Int.random(in: 0..<limit, using: &random)] = UInt8.random(in: 0...255, using: &random)
        }
        if Int.random(in: 0..<20, using: &random) == 0 {
          damaged.removeLast(Int.random(in: 0..<damaged.count, using: &random))
        }
        try writeFile(server + "/_.vsm_child/_." + name, damaged)
      }
      var instance = InstanceFollower(path: server)
      instance.refresh()
      let sample = try instance.sampleCounters()
      sections += sample?.sections.count ?? 0
      for section in sample?.sections ?? [] {
        try #require(section.values.count == section.descriptions.counters.count, "\(random)")
      }
    }
    #expect(sections > 500, "\(random)")
  }
}
