import TestSupport
import Testing
import VarnishLog

/// Times in the same second and in others, one after the other.
struct StartTimeTests {
  /// The lines of requests with these start times.
  private static func lines(_ times: [String], _ format: String) throws -> [String] {
    let records = times.enumerated().flatMap { index, time in
      let vxid = UInt64(2 + index)
      return SampleRecord.parse("\(vxid) c Begin req 1 rxreq", tags: .v8)
        + [
          SampleRecord(
            vxid, .client, tag: SampleTags.v8["Timestamp"], bytes: Array("Start: \(time) 0 0".utf8))
        ]
        + SampleRecord.parse("\(vxid) c End", tags: .v8)
    }
    return try String(decoding: Rendering(format, nil).lines(records), as: UTF8.self)
      .split(separator: "\n").map(String.init)
  }

  @Test func `each line has its own second`() throws {
    let times = [
      "1700000000.000000", "1700000000.999999", "1700000001.000000", "1700000000.5", "1700000000",
      "1700000010.000000", "1700000000.000001", "0000000001.000000", "4294967296.000000", "4294967295.999999",
      "9007199254.740993", "1.7e9",
    ]
    // The second of the nearest double; far in the future, neighbouring doubles are more than a microsecond
    // apart.
    let seconds = times.map { Int(Double($0)!.rounded(.down)) }
    #expect(try Self.lines(times, "%{%s}t") == seconds.map(String.init))
    // The result is the same beside a specifier that uses the whole number.
    #expect(try Self.lines(times, "%{%s}t %{sec}t") == seconds.map { "\($0) \($0)" })
  }

  @Test func `seconds that come again have the text they had`() throws {
    var random = SeededGenerator(seed: 51)
    let seconds = (0..<4000).map { _ in 1_700_000_000 + Int.random(in: 0..<400, using: &random) }
    let lines = try Self.lines(seconds.map { "\($0).000000" }, "%{%s}t %{%s and much more}t")
    #expect(lines == seconds.map { "\($0) \($0) and much more" }, "\(random)")
    let long = String(repeating: "-", count: 300)
    #expect(try Self.lines(seconds.map { "\($0).0" }, "%{\(long)%s}t") == seconds.map { "\(long)\($0)" })
  }

  @Test func `what isn't a time gives no line, even if its digits are those of the line before`() throws {
    for index in 0..<17 {
      for byte in ["x", "/", ":", "-", "\u{1}", "@"] {
        var text = Array("1700000000.123456")
        text[index] = Character(byte)
        let wrong = String(text)
        guard Double(wrong) == nil else { continue }
        #expect(
          try Self.lines(["1700000000.123456", wrong, "1700000000.123457"], "%{%s}t").count == 2, "\(wrong)")
      }
    }
  }

  @Test func `a label has any case of letters, and no other bytes`() throws {
    let label = Array("Start:".utf8)
    var records: [SampleRecord] = []
    var expected = 0
    for index in label.indices {
      for byte in UInt8.min...UInt8.max {
        var text = label
        text[index] = byte
        if text.map(ASCII.lowercased) == label.map(ASCII.lowercased) { expected += 1 }
        let vxid = UInt64(2 + records.count)
        records += SampleRecord.parse("\(vxid) c Begin req 1 rxreq", tags: .v8)
        records.append(
          SampleRecord(
            vxid, .client, tag: SampleTags.v8["Timestamp"], bytes: text + Array(" 1700000000.000000 0 0".utf8)
          ))
        records += SampleRecord.parse("\(vxid) c End", tags: .v8)
      }
    }
    let lines = try Rendering("%{%s}t", nil).lines(records)
    // Each of the five letters has two forms; the colon has one.
    #expect(expected == 11 && lines.filter { $0 == 0x0A }.count == expected)
  }
}
