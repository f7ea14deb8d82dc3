import Glibc
@testable import Metrics
import Synchronization
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

  /// A place that is given away at once is the worst that can happen to a reader: servers wait.
  @Test
  func `sections that change places 1,000 times, also with their worker, are never taken for one another`()
    async throws
  {
    try await onOwnThread {
      let (slots, count) = (6, 8)
      let server = try CounterServer(slotCount: slots, counterCount: count)
      let removed = (0..<slots * 2).map { _ in Count() }
      let (isOver, scrapes) = (Count(), Count())
      let failure = Monitor<String?>(nil)
      detachThread {
        do {
          try Self.churn(server, slots: slots, count: count, removed, scrapes)
        } catch {
          failure.withLock { $0 = "\(error)" }
        }
        isOver.value.store(1, ordering: .releasing)
      }
      var instance = InstanceMetrics(.directory(server.path))
      var seen = 0
      while isOver.value.load(ordering: .acquiring) == 0 {
        let before = removed.map { $0.value.load(ordering: .acquiring) }
        let text = try Self.scrape(&instance)
        for name in 0..<slots * 2 {
          let values = (0..<count).map { text.all("varnish_set_c\($0)", ["id": "\(name)"]) }
          if values.allSatisfy(\.isEmpty) { continue }
          let life = try CheckedCounters.life("SET.\(name)", values.map { UInt64($0.first?.text ?? "") })
          guard let life else { continue }
          try #require(life > before[name], "SET.\(name): life \(life) had ended before it was looked for")
          seen += 1
        }
        scrapes.value.add(1, ordering: .releasing)
      }
      #expect(failure.withLock { $0 } == nil)
      #expect(scrapes.value.load(ordering: .relaxed) > 40 && seen > 40)
    }
  }

  private final class Count: Sendable {
    let value = Atomic<UInt32>(0)

    /// Waits until it has grown, so that a scrape comes in between.
    func awaitGrowth() {
      let (before, deadline) = (value.load(ordering: .acquiring), Deadline.after(.seconds(10)))
      while value.load(ordering: .acquiring) == before, !deadline.hasPassed { usleep(100) }
    }
  }

  /// Sections in places of which each is given to one of two names, one after the other; every hundredth time the worker
  /// begins anew, every three hundredth the server.
  private static func churn(
    _ server: CounterServer, slots: Int, count: Int, _ removed: [Count], _ scrapes: Count
  ) throws {
    var random = SeededGenerator(seed: 1000)
    var taken = [Int?](repeating: nil, count: slots)
    for life in UInt32(1)...1000 {
      if life % 100 == 0 {
        for (slot, name) in taken.enumerated() {
          if let name { removed[name].value.store(life - 1, ordering: .releasing) }
          taken[slot] = nil
        }
        if life % 300 == 0 {
          server.stop()
          try server.start()
        } else {
          try server.startWorker()
        }
      }
      let slot = Int.random(in: 0..<slots, using: &random)
      if let name = taken[slot] {
        try server.remove(slot)
        removed[name].value.store(life - 1, ordering: .releasing)
      }
      let name = slot * 2 + Int.random(in: 0...1, using: &random)
      try server.add("SET.\(name)", in: slot, [])
      taken[slot] = name
      for change in UInt16(1)...4 {
        server.set(
          slot, (0..<count).map { CheckedCounters.value("SET.\(name)", $0, life: life, count: change) })
      }
      if life % 20 == 0 { scrapes.awaitGrowth() }
    }
  }
}
