import Glibc
import LogReading
import LogWriting
import Synchronization
import TestSupport
import Testing
import VarnishLog

/// Counters that a `LogWriter` adds and removes, as a reader finds them.
struct CounterReadingTests {
  private static func options(_ format: LogWriterOptions.Format) -> LogWriterOptions {
    var options = LogWriterOptions(format)
    options.logByteCount = 1 << 16
    options.sectionByteCount = 1 << 15
    options.textByteCountMax = 1000
    options.batchByteCount = 4096
    options.cooldownSeconds = 1
    return options
  }

  private static func sample(_ path: String) throws -> CounterSample {
    var instance = InstanceFollower(path: path)
    instance.refresh()
    return try #require(try instance.sampleCounters())
  }

  @Test(arguments: ["41", "73", "single"])
  func `a writer's counters are described in every layout`(format: String) throws {
    let directory = try TemporaryDirectory()
    let formats: [String: LogWriterOptions.Format] = [
      "41": .indexed(.v41), "73": .indexed(.v73), "single": .singleFile,
    ]
    let writer = try LogWriter(
      directory: directory.path, options: Self.options(try #require(formats[format])))
    let counters = [
      LogWriting.CounterDescription("sold", "Things \"sold\"", details: "all of them"),
      LogWriting.CounterDescription("weight", "Their weight", kind: .gauge, format: .bytes, level: .diag),
    ]
    let shop = try writer.addCounters("SHOP.eu", kind: "shop", counters)
    shop.add(3, to: 0)
    shop.add(5, to: 1)
    // A set of the same kind with other counters.
    let other = try writer.addCounters("SHOP.us", kind: "shop", [counters[1]])
    other.add(7, to: 0)
    let third = try writer.addCounters("SHOP.asia", kind: "shop", counters)
    third.add(9, to: 0)
    writer.append(.debug, "one", vxid: 0)
    let sample = try Self.sample(directory.path)
    let section = try #require(sample.sections.first { $0.name == "SHOP.eu" })
    #expect(section.descriptions.counters.map(\.name) == ["sold", "weight"])
    #expect(section.values == [3, 5])
    let weight = section.descriptions.counters[1]
    #expect(weight.kind == .gauge && weight.format == .bytes && weight.level == .diag)
    #expect(section.descriptions.counters[0].summary == "Things \"sold\"")
    #expect(section.descriptions.counters[0].details == "all of them")
    #expect(sample.value("SHOP.us", "weight") == 7 && sample.value("SHOP.us", "sold") == nil)
    #expect(sample.value("SHOP.asia", "sold") == 9)
    #expect(sample.value("MAIN", "shm_records") == 1)
    other.remove()
    let again = try writer.addCounters("SHOP.us", kind: "shop", counters)
    again.add(11, to: 1)
    #expect(try Self.sample(directory.path).value("SHOP.us", "weight") == 11)
  }

  @Test func `a place that no section of a single file has is without a value`() throws {
    let directory = try TemporaryDirectory()
    let writer = try LogWriter(directory: directory.path, options: Self.options(.singleFile))
    let room = String(repeating: "x", count: 40)
    let set = try writer.addCounters(
      "SHOP.eu", kind: "shop",
      [
        LogWriting.CounterDescription("sold", "Things"),
        LogWriting.CounterDescription("lost", "None", details: room),
      ])
    set.add(3, to: 0)
    set.add(5, to: 1)
    // Puts the largest possible index into the description, in place of a part of the text behind it.
    let bytes = try readFile(directory.file("_.vsm"))
    let (index, largest) = ("\"index\":8,".utf8, "\"index\":\(Int.max),".utf8)
    let text = try #require(bytes.firstRange(of: room.utf8))
    let place = try #require(bytes[..<text.lowerBound].ranges(of: index).last)
    let changed =
      bytes[..<place.lowerBound] + largest + bytes[place.upperBound..<text.lowerBound]
      + room.utf8.dropFirst(largest.count - index.count) + bytes[text.upperBound...]
    try #require(changed.count == bytes.count)
    let copy = try TemporaryDirectory()
    try writeFile(copy.file("_.vsm"), changed)
    let section = try #require(try Self.sample(copy.path).sections.first { $0.name == "SHOP.eu" })
    #expect(section.values == [3, nil])
  }

  @Test func `a log that has ended has no counters`() throws {
    let directory = try TemporaryDirectory()
    let writer = try LogWriter(directory: directory.path, options: Self.options(.indexed(.v41)))
    writer.close()
    var instance = InstanceFollower(path: directory.path)
    instance.refresh()
    #expect(try instance.sampleCounters() == nil)
  }

  private final class Count: Sendable {
    let value = Atomic<UInt32>(0)

    /// Waits until the count has grown, so that a sample is taken in between.
    func awaitGrowth() {
      let (before, deadline) = (value.load(ordering: .acquiring), Deadline.after(.seconds(10)))
      while value.load(ordering: .acquiring) == before, !deadline.hasPassed { usleep(100) }
    }
  }

  @Test(arguments: ["indexed", "single"])
  func `sets that come and go 1,000 times are never old, torn or taken for one another`(
    format: String
  ) async throws {
    try await onOwnThread {
      let directory = try TemporaryDirectory()
      var options = Self.options(format == "single" ? .singleFile : .indexed(.v73))
      // So little room that sets get the places of removed ones, once these have cooled.
      options.sectionByteCount = 0
      // For each name, the last life that has been removed.
      let removed = (0..<12).map { _ in Count() }
      let (isOver, samples) = (Count(), Count())
      let failure = Monitor<String?>(nil)
      detachThread { [options] in
        do {
          try Self.churn(directory.path, options, removed, samples)
        } catch {
          failure.withLock { $0 = "\(error)" }
        }
        isOver.value.store(1, ordering: .releasing)
      }
      var instance = InstanceFollower(path: directory.path)
      var seen = 0
      while isOver.value.load(ordering: .acquiring) == 0 {
        let before = removed.map { $0.value.load(ordering: .acquiring) }
        instance.refresh()
        guard let sample = try instance.sampleCounters() else { continue }
        for section in sample.sections where section.name.hasPrefix("SET.") {
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

  /// Adds and removes 1,000 sets, in ten logs, one after the other.
  private static func churn(_ path: String, _ options: LogWriterOptions, _ removed: [Count], _ samples: Count)
    throws
  {
    var random = SeededGenerator(seed: 15)
    var life: UInt32 = 0
    for _ in 0..<10 {
      let writer = try LogWriter(directory: path, options: options)
      var sets: [Int: (set: CounterSet, life: UInt32)] = [:]
      for _ in 0..<100 {
        let name = Int.random(in: 0..<removed.count, using: &random)
        if let (set, life) = sets.removeValue(forKey: name) {
          set.remove()
          removed[name].value.store(life, ordering: .releasing)
        }
        life += 1
        guard let set = try add("SET.\(name)", to: writer) else { continue }
        for change in UInt16(1)...20 {
          for counter in 0..<4 {
            set[counter] = CheckedCounters.value("SET.\(name)", counter, life: life, count: change)
          }
        }
        sets[name] = (set, life)
        if life % 10 == 0 { samples.awaitGrowth() }
      }
      writer.close()
      // A single file stays, with its last contents, until the next log replaces it.
      guard options.format != .singleFile else { continue }
      for (name, entry) in sets { removed[name].value.store(entry.life, ordering: .releasing) }
    }
  }

  /// Adds a set; in a single file this may have to wait until the space of a removed one has cooled.
  private static func add(_ name: String, to writer: LogWriter) throws -> CounterSet? {
    let descriptions = (0..<4).map { LogWriting.CounterDescription("c\($0)", "Number \($0)") }
    let deadline = Deadline.after(.seconds(20))
    while true {
      do {
        return try writer.addCounters(name, kind: "test", descriptions)
      } catch {
        guard case .exhausted = error, !deadline.hasPassed else { throw error }
        usleep(10_000)
      }
    }
  }
}
