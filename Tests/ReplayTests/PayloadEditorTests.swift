import Replay
import TestSupport
import Testing
import VarnishLog

/// Which parts of records are changed, and which aren't.
struct PayloadEditorTests {
  /// A payload after editing.
  private static func edited(
    _ tag: String, _ text: String, vxids: VXIDMapping? = VXIDMapping(distance: 1000, largest: 1 << 30 - 1),
    shift: Int64? = nil, mayHaveMarks: Bool = false, isTerminated: Bool = true
  ) -> String {
    var editor = PayloadEditor(.v41, vxids: vxids, timeShift: shift, mayHaveMarks: mayHaveMarks)
    let bytes = Array(text.utf8) + (isTerminated ? [0] : [])
    let result = bytes.withUnsafeBytes { bytes -> [UInt8] in
      guard let start = bytes.baseAddress else { return [] }
      let payload = LogBytes(start: start, count: bytes.count)
      return Array(editor.edit(tag: SampleTags.v7[tag], payload).buffer)
    }
    #expect((result.last == 0) == isTerminated)
    return String(decoding: isTerminated ? result.dropLast() : result[...], as: UTF8.self)
  }

  @Test(arguments: [
    ("Begin", "req 7 rxreq", "req 1007 rxreq"), ("Begin", "sess 0 HTTP/1", "sess 0 HTTP/1"),
    ("Begin", "req  7   esi 1", "req  1007   esi 1"), ("Begin", "req x rxreq", "req x rxreq"),
    ("Begin", "req 007 rxreq", "req 007 rxreq"),
    ("Begin", "req", "req"), ("Begin", "", ""), ("Link", "bereq 32771 fetch", "bereq 33771 fetch"),
    ("Hit", "5", "1005"), ("Hit", "5 119.5 10.0 0.0 200", "1005 119.5 10.0 0.0 200"),
    ("HitMiss", "5 1.0", "1005 1.0"), ("HitPass", "5 1.0", "1005 1.0"),
    ("RespHeader", "X-Varnish: 32770 5", "X-Varnish: 33770 1005"),
    ("ReqHeader", "x-varnish:32770", "x-varnish:33770"), ("BereqHeader", "X-Varnish: 1", "X-Varnish: 1001"),
    ("RespUnset", "X-Varnish: 9 8 a", "X-Varnish: 1009 1008 a"),
    ("RespHeader", "X-Varnish-Age: 32770", "X-Varnish-Age: 32770"),
    ("RespHeader", "Content-Length: 7", "Content-Length: 7"), ("RespHeader", "X-Varnish:", "X-Varnish:"),
    ("Length", "7", "7"), ("ReqURL", "/ 7 7", "/ 7 7"), ("Hit", "12345678901234567", "12345678901234567"),
    ("Link", "req 1073741823 rxreq", "req 1000 rxreq"),
  ])
  func `numbers of transactions change where records name them`(
    tag: String, text: String, expected: String
  ) {
    #expect(Self.edited(tag, text) == expected)
    #expect(Self.edited(tag, text, isTerminated: false) == expected)
    #expect(Self.edited(tag, text, vxids: nil) == text)
  }

  @Test(arguments: [
    ("Timestamp", "Start: 1700000000.123456 0.000000 0.000000", "Start: 1700000002.623456 0.000000 0.000000"),
    ("Timestamp", "Resp:  1700000000 1.5 1", "Resp:  1700000002 1.5 1"),
    ("Timestamp", "Resp: 0.5 0.5 0.5", "Resp: 0.5 0.5 0.5"),
    ("Timestamp", "Resp: 17000000000000.5 1 1", "Resp: 17000000000000.5 1 1"),
    ("Timestamp", "Resp: 1700000000. 1 1", "Resp: 1700000000. 1 1"), ("Timestamp", "Resp:", "Resp:"),
    ("Timestamp", "Resp: -1700000000.5 1 1", "Resp: -1700000000.5 1 1"),
    (
      "SessOpen", "192.0.2.7 51234 a0 192.0.2.1 80 1700000000.500000 20",
      "192.0.2.7 51234 a0 192.0.2.1 80 1700000003.000000 20"
    ),
    (
      "TTL", "RFC 120 10 0 1700000000 1700000001 1700000002 0 600 cacheable",
      "RFC 120 10 0 1700000002 1700000003 1700000004 0 600 cacheable"
    ),
    ("TTL", "VCL 120 10 0 1700000000 uncacheable", "VCL 120 10 0 1700000002 uncacheable"),
    ("ReqHeader", "Date: 1700000000", "Date: 1700000000"),
  ])
  func `points in time move, as precise as they were`(tag: String, text: String, expected: String) {
    #expect(Self.edited(tag, text, vxids: nil, shift: 2_500_000_000) == expected)
    #expect(Self.edited(tag, text) == text)
  }

  @Test func `the marks that 4.0 has in the number of a hit stay`() {
    let marked = UInt64(1) << 31 | 5
    #expect(Self.edited("Hit", "\(marked)", mayHaveMarks: true) == "\(UInt64(1) << 31 | 1005)")
  }

  @Test func `bytes of any kind come through, and as many as there can be`() {
    var random = SeededGenerator()
    var editor = PayloadEditor(
      .v41, vxids: VXIDMapping(distance: 1 << 29, largest: 1 << 30 - 1), timeShift: 5)
    for count in [0, 1, 2, 60, 65_535] {
      for _ in 0..<20 {
        let alphabet: [UInt8] = [0, 0x20, 0x30, 0x31, 0x39, 0x2E, 0x3A, 0x0A, 0xFF]
        let bytes = (0..<count).map { _ in alphabet.randomElement(using: &random) ?? 0 }
        bytes.withUnsafeBytes { bytes in
          guard let start = bytes.baseAddress else { return }
          for tag in UInt8.min...UInt8.max {
            let result = editor.edit(tag: tag, LogBytes(start: start, count: count)).buffer
            #expect(result.count { Self.separates($0) } == bytes.count { Self.separates($0) }, "\(random)")
            _ = editor.clock(tag: tag, LogBytes(start: start, count: count))
          }
        }
      }
    }
    let header = Array("X-Varnish:".utf8) + Array(repeating: Array(" 1".utf8), count: 32_000).joined()
    header.withUnsafeBytes { header in
      guard let start = header.baseAddress else { return }
      let result = editor.edit(
        tag: SampleTags.v7["RespHeader"], LogBytes(start: start, count: header.count))
      #expect(result.buffer.starts(with: Array("X-Varnish: 536870913 536870913 ".utf8)))
      #expect(result.buffer.suffix(4).elementsEqual(Array(" 1 1".utf8)), "what is behind any sense stays")
    }
  }

  private static func separates(_ byte: UInt8) -> Bool { byte == 0 || byte == 0x20 || byte == 0x0A }

  // MARK: Numbers

  @Test func `no two numbers of a range become the same, and none becomes 0`() {
    for distance in [0, 1, 499, 500, 12_345] as [UInt64] {
      let mapping = VXIDMapping(distance: distance, largest: 500)
      #expect(mapping(0) == 0)
      let images = Set((1...500).map { mapping($0) })
      #expect(images.count == 500 && images.min() == 1 && images.max() == 500)
      #expect(mapping(501) == mapping(1))
    }
    let unchanged = VXIDMapping(distance: 0, largest: 1 << 51 - 1)
    for number in [1, 2, 1 << 33, 1 << 51 - 1] as [UInt64] { #expect(unchanged(number) == number) }
  }

  @Test func `numbers from a table are given one by one, stay as they are, and are nobody else's`() {
    let sequence = NumberSequence(1...1000, distance: 998)
    let (one, other) = (NumberTable(sequence), NumberTable(sequence))
    let spread: [UInt64] = [7, 1 << 48 | 7, 6 << 48 | 7]
    #expect(spread.map(one.number) == [999, 1000, 1])
    #expect(spread.map(other.number) == [2, 3, 4])
    #expect(spread.reversed().map(one.number) == [1, 1000, 999])
  }

  @Test func `a table knows what was named not long ago, and no more than that`() {
    let table = NumberTable(NumberSequence(1...1 << 40, distance: 0))
    for number in 1...(1 << 18) as ClosedRange<UInt64> {
      #expect(table.number(for: number << 20) == number)
    }
    for number in stride(from: 1 as UInt64, through: 1 << 18, by: 997) {
      #expect(table.number(for: number << 20) == number)
    }
    // After twice as many others, the first is forgotten.
    for number in 1...(1 << 19) as ClosedRange<UInt64> { _ = table.number(for: number) }
    #expect(table.number(for: 1 << 20) > 1 << 18)
  }

  @Test(arguments: TagNumbering.allCases.filter { !$0.isOld })
  func `the time of a record is found in every numbering that has one`(numbering: TagNumbering) throws {
    let editor = PayloadEditor(numbering, vxids: nil, timeShift: nil)
    let number = try #require(TagTable(numbering).number(of: .timestamp))
    let payload = Array("Resp: 1700000000.000001 1.5 1\0".utf8)
    let clock = payload.withUnsafeBytes { payload in
      payload.baseAddress.flatMap { editor.clock(tag: number, LogBytes(start: $0, count: payload.count)) }
    }
    #expect(clock == 1_700_000_000_000_001_000)
  }
}
