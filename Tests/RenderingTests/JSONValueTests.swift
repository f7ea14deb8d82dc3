import Foundation
import TestSupport
import Testing
import VarnishLog

/// Values without quotation marks in the JSON of `-j`.
struct JSONValueTests {
  /// The text of a header, and the JSON value for it.
  static let numbers: [(String, String)] = [
    ("12", "12"), ("0", "0"), ("-0", "-0"), ("-3.50", "-3.50"), ("1e5", "1e5"), ("1E+5", "1E+5"),
    ("0.5e-3", "0.5e-3"),
    ("007", "null"), ("-", "null"), ("+1", "null"), ("1.", "null"), (".5", "null"), ("1e", "null"),
    ("1e+", "null"),
    ("NaN", "null"), ("Infinity", "null"), ("0x10", "null"), ("1_000", "null"), ("1 2", "null"),
    ("1,\"x\":2", "null"),
    ("true", "null"), ("null", "null"), ("\"a\"", "null"), ("", "null"), ("a\nb", "null"), ("é", "null"),
    ("1e5e5", "null"),
  ]

  @Test(arguments: numbers) func `are numbers or null`(value: String, expected: String) throws {
    for format in [#"{"a":%{A}i}"#, #"{"b":1,"a": %{A}i ,"c":2}"#, #"@cee: {"a":{"b":[0,%{A}i]}}"#] {
      let line = try Self.line(format, [("ReqHeader", "A: \(value)")])
      #expect(line == format.replacing("%{A}i", with: expected) + "\n")
    }
  }

  /// Formats, and the lines for a request about which next to nothing is known.
  static let formats: [(String, String)] = [
    (#"{"age":%{Age}o,"br":%{VCL_Log:br}x}"#, #"{"age":null,"br":null}"#),
    (
      #"{"b":%b,"I":%I,"O":%O,"s":%s,"f":%{Varnish:time_firstbyte}x}"#,
      #"{"b":null,"I":null,"O":null,"s":null,"f":null}"#
    ),
    (
      #"{"h":%h,"m":%m,"U":%U,"q":%q,"H":%H,"r":%r,"u":%u,"l":%l}"#,
      #"{"h":null,"m":null,"U":null,"q":null,"H":null,"r":null,"u":null,"l":null}"#
    ),
    (
      #"{"x":%{VSL:ReqStart[2]}x,"hm":%{Varnish:hitmiss}x,"hd":%{Varnish:handling}x,"s":%{Varnish:side}x}"#,
      #"{"x":null,"hm":null,"hd":null,"s":null}"#
    ),
    (#"{"v":%{Varnish:vxid}x}"#, #"{"v":2}"#),
    ("[%s,%{A}i]", "[null,null]"), (#" [ {"a" : [ %s ] } ]"#, #" [ {"a" : [ null ] } ]"#),
    ("{\\n\\t\"a\":\\n%s\\n}", "{\n\t\"a\":\nnull\n}"),
    // Within strings, values are written as usual.
    (#"{"a":"%s","b":"%{A}i:%{B}i","%m":1,"c":"\\\"%{A}i"}"#, #"{"a":"0","b":":","":1,"c":"\""}"#),
    (#"{"a":"\\\\","b":%{A}i}"#, #"{"a":"\\","b":null}"#),
    // So they are where JSON allows no value, or where the text isn't JSON for every value.
    ("%s %{A}i", "0 "), ("[%{A}i] x %s", "[null] x 0"), ("x [%{A}i]", "x []"), (#"{"a" %{A}i}"#, #"{"a" }"#),
    (#"{%{A}i:1}"#, "{:1}"), (#"{"a":%{A}i"#, #"{"a":"#), (#"{"a":%{A}i]"#, #"{"a":]"#),
    (#"{"a":%{A}i,}"#, #"{"a":,}"#),
    (#"{"a":%{A}i%{B}i}"#, #"{"a":}"#), (#"{"a":1%{A}i}"#, #"{"a":1}"#), ("{}%{A}i", "{}"),
    // After something that isn't JSON, the rest is looked at anew.
    (#"{oops} {"a":%{A}i}"#, #"{oops} {"a":null}"#), (#"5" {"a":%{A}i}"#, #"5" {"a":}"#),
  ]

  @Test(arguments: formats) func `are found by their place`(format: String, expected: String) throws {
    let line = try Self.line(format, [])
    #expect(line == expected + "\n")
  }

  @Test func `times count by what strftime makes of them`() throws {
    let start = [("Timestamp", "Start: 1700000000.062500 0.000000 0.000000")]
    #expect(
      try Self.line(
        #"{"t":%{%s}t,"d":%{sec}t,"ms":%{msec_frac}t,"c":%t,"D":%D,"p":%{sec}t.%{usec_frac}t}"#, start)
        == #"{"t":1700000000,"d":1700000000,"ms":null,"c":null,"D":0,"p":1700000000.062500}"# + "\n")
  }

  @Test func `are left alone by the rules of a release, and where asked for`() throws {
    let format = #"{"age":%{Age}o,"b":%b}"#
    for version in [VarnishVersion(6, 0), VarnishVersion(7, 1), VarnishVersion(8, 0)] {
      #expect(Self.text(try Rendering(format, version, isJSON: true).line([])) == #"{"age":,"b":0}"# + "\n")
    }
    #expect(Self.text(try Rendering(format, nil, isJSON: false).line([])) == #"{"age":-,"b":-}"# + "\n")
  }

  @Test func `keep lines JSON whatever they are`() throws {
    var random = SeededGenerator(seed: 5)
    let rendering = try Rendering(
      #"{"a":%{A}i,"b":[%{B}o,%s],"c":{"m":%m,"u":"%u"},"x":%{VSL:Hash}x,"k":%{VCL_Log:k}x}"#, nil,
      isJSON: true)
    let letters = Array("0123456789-+.eE \"\\,:{}[]nulltrue\u{0B}é".utf8) + [0, 0xFF]
    for _ in 0..<2000 {
      func bytes() -> [UInt8] {
        (0..<Int.random(in: 0..<6, using: &random)).map { _ in letters.randomElement(using: &random) ?? 0 }
      }
      let line = rendering.line([
        ("ReqHeader", Array("A:".utf8) + bytes()), ("RespHeader", Array("B:".utf8) + bytes()),
        ("RespStatus", bytes()),
        ("ReqMethod", bytes()), ("Hash", bytes()), ("VCL_Log", Array("k:".utf8) + bytes()),
      ])
      let object = try? JSONSerialization.jsonObject(with: Data(line)) as? [String: Any]
      try #require(object?.count == 5, "\(random): \(Self.text(line))")
    }
  }

  @Test func `formats of any depth are looked at in no time`() throws {
    let depth = 3000
    let format = String(repeating: #"{"a":["#, count: depth) + "%s" + String(repeating: "]}", count: depth)
    let line = try Self.line(format, [])
    #expect(line.contains(#"{"a":[null]}"#))
    _ = try Self.line(String(repeating: #"{"a":"#, count: depth), [])
  }

  private static func line(_ format: String, _ records: [(String, String)]) throws -> String {
    text(try Rendering(format, nil, isJSON: true).line(records.map { ($0, Array($1.utf8)) }))
  }

  private static func text(_ line: [UInt8]) -> String { String(decoding: line, as: UTF8.self) }
}
