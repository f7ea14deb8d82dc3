import Rendering
import Testing
import VarnishLog

/// The results of strftime for long formats.
struct LongTimeTests {
  static let start = [("Timestamp", Array("Start: 1700000000.000000 0.000000 0.000000".utf8))]

  @Test(arguments: [nil, VarnishVersion(7, 1)])
  func `a time has any length`(version: VarnishVersion?) throws {
    for count in [0, 1, 57, 58, 59, 60, 61, 62, 63, 64, 65, 127, 128, 129, 5000, 100_000] {
      let text = String(repeating: "x", count: count)
      let line = try Rendering("<%{%Y\(text)}t>", version).line(Self.start)
      #expect(String(decoding: line, as: UTF8.self) == "<2023\(text)>\n")
    }
    let wide = try Rendering("%{%9999Y}t", version).line(Self.start)
    #expect(String(decoding: wide, as: UTF8.self) == String(repeating: "0", count: 9995) + "2023\n")
  }

  @Test func `one that is empty is nothing`() throws {
    #expect(try Rendering("<%{}t>", nil).line(Self.start) == Array("<>\n".utf8))
  }

  @Test(arguments: ["%{%2000000d}t", "%{%99999999999999d}t", "x%{%1000000d%1000000d}t"])
  func `one that would fill megabytes is refused`(format: String) {
    #expect(throws: FormatError.timeTooLong(byteCountMax: 1 << 20)) { _ = try Rendering(format, nil) }
  }
}
