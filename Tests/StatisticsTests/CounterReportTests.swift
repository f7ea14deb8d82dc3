import Foundation
import LogReading
import Statistics
import TestSupport
import Testing

/// Reports of counters as programs parse them, whatever the counters' names.
struct CounterReportTests {
  private static func shown(_ names: [String], _ filter: CounterFilter = CounterFilter()) throws
    -> ShownCounters
  {
    let server = try CounterServer(slotCount: names.count, counterCount: 2)
    for (slot, name) in names.enumerated() { try server.add(name, in: slot, [UInt64(slot), 1 << 63]) }
    var instance = InstanceFollower(path: server.path)
    instance.refresh()
    return ShownCounters(try #require(try instance.sampleCounters()), filter)
  }

  @Test func `names that would spoil a report are written so that they don't`() throws {
    let shown = try Self.shown(["A\"<b>&\\", "B\u{1B}[2J", "C\u{2028}"])
    let report = CounterReport(shown)
    let json = try #require(
      try JSONSerialization.jsonObject(with: Data(report.text(.json, timestamp: "T"))) as? [String: Any])
    let counters = try #require(json["counters"] as? [String: [String: Any]])
    #expect(Set(counters.keys) == Set(shown.entries.map(\.name)))
    let old =
      try JSONSerialization.jsonObject(with: Data(report.text(.oldJSON, timestamp: "T"))) as? [String: Any]
    #expect(old?.count == 7)
    let parser = XMLSketch(String(decoding: report.text(.xml, timestamp: "T"), as: UTF8.self))
    #expect(parser.isBalanced)
    for form in [CounterReport.Form.table, .names] {
      let text = String(decoding: report.text(form, timestamp: "T"), as: UTF8.self)
      #expect(!text.unicodeScalars.contains { $0 == "\u{1B}" || $0 == "\u{2028}" })
      #expect(
        text.contains("B\\x1b[2J.c0") && text.split(separator: "\n").count == 6 + (form == .names ? 3 : 0))
    }
  }

  @Test func `nothing to show is shown as Varnish's own tool shows it`() throws {
    let report = CounterReport(try Self.shown(["A"], CounterFilter([.include(Glob(Array("none".utf8)))])))
    func text(_ form: CounterReport.Form) -> String {
      String(decoding: report.text(form, timestamp: "T"), as: UTF8.self)
    }
    #expect(text(.table).isEmpty)
    #expect(text(.json) == "{\n  \"version\": 1,\n  \"timestamp\": \"T\",\n  \"counters\": {\n\n  }\n}\n")
    #expect(text(.xml) == "<?xml version=\"1.0\"?>\n<varnishstat timestamp=\"T\">\n</varnishstat>\n")
  }

  @Test func `which of several patterns counts depends on the release`() {
    let rules: [CounterFilter.Rule] = [
      .include(Glob(Array("M*".utf8))), .exclude(Glob(Array("MAIN.*".utf8))),
    ]
    #expect(
      CounterFilter(rules, .firstMatch).shows("MAIN.a") && !CounterFilter(rules, .exclusion).shows("MAIN.a"))
    #expect(
      CounterFilter(rules, .firstMatch).shows("MGT.a") && CounterFilter(rules, .exclusion).shows("MGT.a"))
    #expect(!CounterFilter(rules).shows("LCK.a") && CounterFilter([rules[1]]).shows("LCK.a"))
    #expect(!CounterFilter(rules.reversed()).shows("MAIN.a") && CounterFilter().shows(""))
  }
}

/// A minimal XML parser that checks whether tags are closed in order.
private struct XMLSketch {
  private let text: String

  init(_ text: String) { self.text = text }

  var isBalanced: Bool {
    var open: [Substring] = []
    for part in text.split(separator: "<").dropFirst() {
      guard let end = part.firstIndex(of: ">") else { return false }
      let tag = part[..<end]
      if tag.hasPrefix("/") {
        guard open.popLast() == tag.dropFirst() else { return false }
      } else {
        open.append(tag.prefix { $0 != " " })
      }
    }
    return open.isEmpty
  }
}
