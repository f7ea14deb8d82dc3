@testable import Metrics
import TestSupport
import Testing

/// The counters of a live instance as metrics.
struct InstanceMetricsTests {
  private static func read(_ families: [MetricFamily]) throws -> MetricsText {
    try MetricsText(String(decoding: Exposition.bytes(of: families, .text), as: UTF8.self))
  }

  private static func scrape(_ instance: inout InstanceMetrics) throws -> MetricsText {
    try read(instance.families())
  }

  @Test func `what is there now is shown, and of a server that is gone that it is`() throws {
    let server = try CounterServer(slotCount: 4, counterCount: 2)
    var instance = InstanceMetrics(.directory(server.path))
    #expect(try Self.scrape(&instance).samples.map(\.text) == ["0"])
    try server.add("SET.a", in: 0, [1, 2])
    try server.add("SET.b", in: 1, [.max, 4])
    let both = try Self.scrape(&instance)
    #expect(both["varnish_up"] == 1)
    #expect(both.all("varnish_set_c0").map(\.text) == ["1", "18446744073709551615"])
    #expect(both.types["varnish_set_c0"] == "untyped")
    try server.remove(0)
    #expect(try Self.scrape(&instance).all("varnish_set_c1").map(\.labels) == [["id": "b"]])
    server.stop()
    let gone = try Self.scrape(&instance)
    #expect(gone.samples.map(\.name) == ["varnish_up"] && gone["varnish_up"] == 0)
    try server.start()
    try server.add("SET.c", in: 0, [5, 6])
    let back = try Self.scrape(&instance)
    #expect(back["varnish_up"] == 1 && back.all("varnish_set_c0").map(\.labels) == [["id": "c"]])
  }

  @Test func `of two VCLs' backends of one name the newest has the short one`() throws {
    let server = try CounterServer(slotCount: 4, counterCount: 1)
    try server.add("VBE.boot.api", in: 0, [1])
    try server.add("VBE.reload_1.api", in: 1, [2])
    try server.add("VBE.boot.api", in: 2, [3])
    var instance = InstanceMetrics(.directory(server.path))
    let values = try Self.scrape(&instance).all("varnish_backend_c0").map { ($0.labels["backend"], $0.value) }
    #expect(values.map(\.0) == ["boot.api", "reload_1.api", "api"] && values.map(\.1) == [1, 2, 3])
  }

  @Test
  func `sections that change places 1,000 times, also with their worker, are never taken for one another`()
    async throws
  {
    try await onOwnThread {
      let churn = try CounterChurn(.init(lives: 1000, workerEvery: 100, serverEvery: 300, lookEvery: 20))
      var instance = InstanceMetrics(.directory(churn.path))
      var seen = 0
      while !churn.isOver {
        let ended = churn.endedLives
        let text = try Self.scrape(&instance)
        for name in ended.indices {
          let values = (0..<CounterChurn.counterCount).map {
            text.all("varnish_set_c\($0)", ["id": "\(name)"])
          }
          if values.allSatisfy(\.isEmpty) { continue }
          let life = try CheckedCounters.life("SET.\(name)", values.map { UInt64($0.first?.text ?? "") })
          guard let life else { continue }
          try #require(life > ended[name], "SET.\(name): life \(life) had ended before it was looked for")
          seen += 1
        }
        churn.noteLook()
      }
      #expect(churn.failure == nil)
      #expect(churn.lookCount > 40 && seen > 40)
    }
  }
}
