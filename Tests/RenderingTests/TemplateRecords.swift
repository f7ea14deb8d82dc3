@testable import Rendering
import Transactions
@testable import VarnishLog

/// A transaction made up by a test, in any layout and numbering.
struct TemplateRecords {
  var records: [(tag: Tag, payload: [UInt8])] = []

  /// A client request that has begun.
  init() {
    add(.begin, "req 1 rxreq")
    add(.timestamp, "Start: 1700000000.123456 0.000000 0.000000")
  }

  mutating func add(_ tag: Tag, _ payload: String) { add(tag, Array(payload.utf8)) }

  mutating func add(_ tag: Tag, _ payload: [UInt8]) { records.append((tag, payload)) }

  /// A request in which everything a client or a backend chooses is `value`.
  static func hostile(_ value: [UInt8]) -> TemplateRecords {
    var made = TemplateRecords()
    made.add(.reqStart, value + Array(" ".utf8) + value)
    made.add(.reqMethod, value)
    made.add(.reqURL, value + Array("?".utf8) + value)
    made.add(.reqProtocol, value)
    for name in [
      "Host", "Referer", "User-Agent", "X-Forwarded-For", "X-Forwarded-Proto", "X-Request-ID",
    ] {
      made.add(.reqHeader, Array("\(name): ".utf8) + value)
    }
    made.add(.respStatus, value)
    for name in ["Content-Type", "Content-Length"] {
      made.add(.respHeader, Array("\(name): ".utf8) + value)
    }
    made.add(.timestamp, Array("Process: ".utf8) + value + Array(" ".utf8) + value)
    made.add(.reqAcct, Array(repeating: value, count: 6).joined(separator: [0x20]).map { $0 })
    return made
  }

  /// The output of a format for the transaction in a log of a given numbering.
  func output(of format: LineFormat, in numbering: TagNumbering = .v73) -> [UInt8] {
    switch numbering {
    case .v40, .v41: output(of: format, in: numbering, as: NarrowRecords.self)
    // Transactions of older logs are made in the newest layout.
    case .v20, .v21, .v30, .v73, .v90: output(of: format, in: numbering, as: WideRecords.self)
    }
  }

  private func output<Layout: RecordLayout>(
    of format: LineFormat, in numbering: TagNumbering, as layout: Layout.Type
  ) -> [UInt8] {
    let tags = TagTable(numbering)
    var renderer = LineRenderer(format, tags: tags)
    var grouper = Grouper<Layout>(
      options: GroupingOptions(
        grouping: .vxid, candidateRule: .everything, wantsClient: true, wantsBackend: true,
        wantsESI: true), tags: tags)
    var words: [UInt32] = []
    for record in records + [(.end, [])] {
      guard let number = tags.number(of: record.tag) else { continue }
      let payload = record.payload + [0]
      let start = words.count * 4
      words += [UInt32](
        repeating: 0, count: (Layout.headerByteCount + payload.count + 3) / 4)
      words.withUnsafeMutableBytes { memory in
        guard let base = memory.baseAddress else { return }
        Layout.writeHeader(
          to: base + start, tag: number, payloadByteCount: payload.count, vxid: 2, side: .client)
        UnsafeMutableRawBufferPointer(rebasing: memory[(start + Layout.headerByteCount)...])
          .copyBytes(from: payload)
      }
    }
    var output: [UInt8] = []
    words.withUnsafeBytes { memory in
      guard let base = memory.baseAddress else { return }
      grouper.add(RecordRun(start: base, byteCount: memory.count))
      while let group = grouper.next() {
        for index in 0..<group.count {
          output += [UInt8](unsafeUninitializedCapacity: 1 << 20) { buffer, count in
            var line = LineWriter(UnsafeMutableRawBufferPointer(buffer))
            count = renderer.render(group[index], to: &line) == .line ? line.count : 0
          }
        }
      }
    }
    return output
  }

  /// Values sent by malicious clients, and merely unusual ones.
  static let hostileValues: [[UInt8]] = [
    [], Array("plain".utf8), Array("\"".utf8), Array("\\".utf8), Array("a\\\"b\\".utf8),
    Array("two\nlines".utf8), Array("a\r\nb".utf8), Array("tab\there".utf8), [0xFF], [0xC3, 0x28],
    [0xED, 0xA0, 0x80], [0xF0, 0x9F, 0x92, 0xA9], [0xE2, 0x82], Array("a b  c".utf8),
    Array("=".utf8),
    Array(",".utf8), Array("null".utf8), Array("-".utf8), Array("{\"a\":1}".utf8),
    Array("007".utf8),
    Array("1e5".utf8), Array("-1".utf8), Array("1.".utf8), Array("NaN".utf8), Array("%n%s%0a".utf8),
    Array("a:b:80".utf8), Array("[::1]:443".utf8), Array(":80".utf8), Array("host:".utf8),
    Array("HTTP/".utf8), Array("?".utf8), Array(0...255), Array(repeating: 0x22, count: 5000),
    Array(repeating: 0xFF, count: 5000),
  ]
}
