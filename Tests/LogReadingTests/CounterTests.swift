import LogReading
import TestSupport
import Testing

/// The counters of a live instance whose sections appear and disappear.
struct CounterTests {
  /// Samples the counters of an existing instance.
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

  @Test func `sections that change places 5,000 times are never taken for one another`() async throws {
    try await onOwnThread {
      let churn = try CounterChurn(.init(lives: 5000, workerEvery: 500, lookEvery: 50))
      var instance = InstanceFollower(path: churn.path)
      var seen = 0
      while !churn.isOver {
        let ended = churn.endedLives
        instance.refresh()
        guard let sample = try instance.sampleCounters() else { continue }
        for section in sample.sections {
          guard let life = try CheckedCounters.life(section.name, section.values) else { continue }
          let name = try #require(Int(section.name.dropFirst(4)))
          try #require(
            life > ended[name], "\(section.name): life \(life) had ended before it was looked for")
          seen += 1
        }
        churn.noteLook()
      }
      #expect(churn.failure == nil)
      #expect(churn.lookCount > 50 && seen > 50)
    }
  }
}
