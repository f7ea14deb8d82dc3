import Glibc
import LogReading
import Synchronization
import TestSupport
import Testing

/// The counters of a live instance whose sections come and go.
struct CounterTests {
  /// A follower of an instance that is there.
  private static func sample(_ path: String) throws -> CounterSample? {
    var instance = InstanceFollower(path: path)
    instance.refresh()
    return try instance.sampleCounters()
  }

  @Test func `counters have the order of the index and the values of the moment`() throws {
    let server = try CounterServer(slotCount: 4, counterCount: 3)
    try server.add("VBE.b", in: 2, [1, 2, 3])
    try server.add("VBE.a", in: 0, [4, 5, 6])
    var instance = InstanceFollower(path: server.path)
    instance.refresh()
    let first = try #require(try instance.sampleCounters())
    #expect(first.sections.map(\.name) == ["VBE.b", "VBE.a"])
    #expect(first.sections[0].values == [1, 2, 3])
    #expect(first.sections[1].name(of: first.sections[1].descriptions.counters[2]) == "VBE.a.c2")
    #expect(first.layout == .signedIndex && first.isComplete)
    server.set(2, [7, 8, 9])
    try server.remove(0)
    try server.add("VBE.c", in: 0, [10])
    instance.refresh()
    let second = try #require(try instance.sampleCounters())
    #expect(second.sections.map(\.name) == ["VBE.b", "VBE.c"])
    #expect(second.sections.map(\.values) == [[7, 8, 9], [10, 0, 0]])
    #expect(second.sections[0].life == first.sections[0].life)
    try server.startWorker()
    try server.add("VBE.b", in: 2, [1])
    instance.refresh()
    let third = try #require(try instance.sampleCounters())
    #expect(third.sections.map(\.values) == [[1, 0, 0]])
    #expect(third.sections[0].life != first.sections[0].life)
  }

  /// A place that is given away at once is the worst that can happen to a reader: servers wait.
  @Test func `sections that change places 5,000 times are never taken for one another`() async throws {
    try await onOwnThread {
      let (slots, count) = (6, 8)
      let server = try CounterServer(slotCount: slots, counterCount: count)
      // The last life of each name that was taken away by now.
      let removed = (0..<slots * 2).map { _ in Count() }
      let (isOver, samples) = (Count(), Count())
      let failure = Monitor<String?>(nil)
      detachThread {
        do {
          try Self.churn(server, slots: slots, count: count, removed, samples)
        } catch {
          failure.withLock { $0 = "\(error)" }
        }
        isOver.value.store(1, ordering: .releasing)
      }
      var instance = InstanceFollower(path: server.path)
      var seen = 0
      while isOver.value.load(ordering: .acquiring) == 0 {
        let before = removed.map { $0.value.load(ordering: .acquiring) }
        instance.refresh()
        guard let sample = try instance.sampleCounters() else { continue }
        for section in sample.sections {
          guard let life = try CheckedCounters.life(section.name, section.values) else { continue }
          let name = try #require(Int(section.name.dropFirst(4)))
          try #require(
            life > before[name], "\(section.name): life \(life) had ended before it was looked for")
          seen += 1
        }
        samples.value.add(1, ordering: .releasing)
      }
      #expect(failure.withLock { $0 } == nil)
      #expect(samples.value.load(ordering: .relaxed) > 50 && seen > 50)
    }
  }

  private final class Count: Sendable {
    let value = Atomic<UInt32>(0)

    /// Waits until it has grown, so that a sample is taken in between.
    func awaitGrowth() {
      let (before, deadline) = (value.load(ordering: .acquiring), Deadline.after(.seconds(10)))
      while value.load(ordering: .acquiring) == before, !deadline.hasPassed { usleep(100) }
    }
  }

  /// Sections in places of which each is given to one of two names, one after the other.
  private static func churn(
    _ server: CounterServer, slots: Int, count: Int, _ removed: [Count], _ samples: Count
  ) throws {
    var random = SeededGenerator(seed: 15)
    var taken = [Int?](repeating: nil, count: slots)
    for life in UInt32(1)...5000 {
      if life % 500 == 0 {
        try server.startWorker()
        for (slot, name) in taken.enumerated() {
          if let name { removed[name].value.store(life - 1, ordering: .releasing) }
          taken[slot] = nil
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
      if life % 50 == 0 { samples.awaitGrowth() }
      for change in UInt16(1)...4 {
        server.set(
          slot, (0..<count).map { CheckedCounters.value("SET.\(name)", $0, life: life, count: change) })
      }
    }
  }
}
