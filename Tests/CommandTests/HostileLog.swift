import Foundation
import TestSupport

/// Requests in which a client sends, in one place after the other, values that could be read as more than one
/// column.
struct HostileLog {
  /// How many requests there are; each comes from `address`.
  private(set) var count = 0
  private(set) var log = LogFileBuilder()

  static let address = "192.0.2.7"

  /// The values that the client sends.
  static let values: [[UInt8]] =
    [
      "", "\"", "\\", "a\\\"b\\", "a b c", "x [01/Jan/2020:00:00:00 +0000]", "# x", "#x", "/", "a/b", "[",
      "]",
      " 203.0.113.66 - - [01/Jan/2020:00:00:00 +0000] \"GET / HTTP/1.1\" 200 5", "tab\there", "two\nlines",
      "a=b",
      "a\" \"b", "-", "%41%20", "+", "null", "[::1]:443", "::1", "www:99999", "www:0", "www:080", "a;b,c",
      "'q'",
      "\" - -", "{\"a\":1}", "\\\" 200 5 \"", "\u{A0}nb", "\u{2028}ls",
      "203.0.113.66 - - [01/Jan/2020:00:00:00 +0000] \"GET /a\" 200",
    ].map { Array($0.utf8) } + [[0xFF, 0xC3, 0x28], [0x7F, 0x01]]

  /// Puts the values into each place that a client controls; into the method only if `withMethods`, as some
  /// programs accept only known methods.
  init(withMethods: Bool) {
    for value in Self.values {
      if withMethods { add("ReqMethod", value) }
      add("ReqURL", Array("/".utf8) + value + Array("?q=".utf8) + value)
      add("ReqURL", value)
      add("ReqProtocol", value)
      for name in ["Host", "User-Agent", "Referer", "X-Forwarded-For", "X-Forwarded-Proto"] {
        add("ReqHeader", Array("\(name): ".utf8) + value)
      }
      add(
        "ReqHeader",
        Array("Authorization: Basic \(Data(value + Array(":pw".utf8)).base64EncodedString())".utf8))
    }
  }

  private static let usual: [(String, String)] = [
    ("ReqMethod", "GET"), ("ReqURL", "/page"), ("ReqProtocol", "HTTP/1.1"),
    ("ReqHeader", "Host: www.example.com"),
    ("ReqHeader", "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0"),
    ("ReqHeader", "Referer: https://ref.example.org/a"), ("ReqHeader", "Authorization: Basic YW5uOnB3"),
  ]

  /// Adds an ordinary request in which one record is replaced.
  private mutating func add(_ tag: String, _ payload: [UInt8]) {
    count += 1
    let number = UInt64(count + 1)
    let start = "1700000\(String(count + 1000).dropFirst())"
    log.add(
      lines: "\(number) c Begin req 1 rxreq\n\(number) c Timestamp Start: \(start).000000 0.000000 0.000000")
    log.add(number, .client, "ReqStart", "\(Self.address) 51234 a0")
    let name = payload.prefix { $0 != UInt8(ascii: ":") }
    for (usualTag, text) in Self.usual
    where usualTag != tag || (tag == "ReqHeader" && !text.utf8.starts(with: Array(name) + [0x3A])) {
      log.add(number, .client, usualTag, text)
    }
    log.add(SampleRecord(number, .client, tag: SampleTags.v7[tag], bytes: payload))
    log.add(
      lines: """
        \(number) c VCL_call RECV
        \(number) c VCL_call MISS
        \(number) c RespStatus 200
        \(number) c RespHeader Content-Type: text/html
        \(number) c Timestamp Process: \(start).001000 0.001000 0.001000
        \(number) c Timestamp Resp: \(start).002000 0.002000 0.001000
        \(number) c ReqAcct 10 0 10 20 5 25
        \(number) c End
        """)
  }
}
