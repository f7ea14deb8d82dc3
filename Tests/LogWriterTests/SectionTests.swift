import Glibc
import LogWriterSupport
import LogWriting
import TestSupport
import Testing
import VarnishLog

/// Sections that are added and freed: in the index of a directory, and in the list of a single file.
struct SectionTests {
  private static func options(_ format: LogWriterOptions.Format) -> LogWriterOptions {
    var options = LogWriterOptions(format)
    options.logByteCount = 1 << 16
    options.sectionByteCount = 1 << 16
    options.textByteCountMax = 1000
    options.batchByteCount = 4096
    return options
  }

  // MARK: The index

  @Test func `the index lists what there is, one line each, and takes lines back`() throws {
    let directory = try TemporaryDirectory()
    let writer = try LogWriter(directory: directory.path, options: Self.options(.indexed(.v41)))
    let index = directory.file("_.vsm_child/_.index")
    let section = try writer.addSection("Test", name: "one", byteCount: 100) { $0[0] = 7 }
    #expect(section.withMemory { $0[0] } == 7)
    let lines = try readText(index).split(separator: "\n")
    #expect(lines[0].hasPrefix("# \(getpid()) "))
    let added = try #require(lines.last)
    #expect(added.hasPrefix("+ _.Test.") && added.hasSuffix(" 0 104 Test one"))
    let file = added.split(separator: " ")[1]
    #expect(try readFile(directory.file("_.vsm_child/\(file)")).count == 4096)
    try section.free()
    #expect(try readText(index).hasSuffix("\n- \(added.dropFirst(2))\n"))
    #expect(!directoryEntries(directory.file("_.vsm_child")).contains(String(file)))
    #expect(section.withMemory { $0.count } == nil)
    let manager = try readText(directory.file("_.vsm_mgt/_.index"))
    #expect(manager.contains(" Arg -i\n") && manager.contains(" Stat MGT\n"))
  }

  @Test func `after many removals the index is as long as what is there`() throws {
    let directory = try TemporaryDirectory()
    let writer = try LogWriter(directory: directory.path, options: Self.options(.indexed(.v41)))
    let index = directory.file("_.vsm_child/_.index")
    let before = try readText(index)
    var longest = 0
    for number in 0..<200 {
      try writer.addSection("Test", name: "n\(number)", byteCount: 8).free()
      longest = max(longest, try readText(index).split(separator: "\n").count)
    }
    #expect(longest < 40)
    // Whether removals were appended as lines or the index was rewritten, the remaining sections are the
    // original ones.
    var left: Set<Substring> = []
    for line in try readText(index).split(separator: "\n") {
      if line.hasPrefix("+ ") { left.insert(line.dropFirst(2)) }
      if line.hasPrefix("- ") { left.remove(line.dropFirst(2)) }
    }
    #expect(left == Set(before.split(separator: "\n").dropFirst().map { $0.dropFirst(2) }))
    #expect(!directoryEntries(directory.file("_.vsm_child")).contains { $0.contains("_._") })
  }

  @Test(arguments: ["", "two words", "tab\t", "quo\"te", "back\\slash", String(repeating: "x", count: 128)])
  func `a name that would spoil the index is refused`(name: String) throws {
    let directory = try TemporaryDirectory()
    let writer = try LogWriter(directory: directory.path, options: Self.options(.indexed(.v41)))
    guard !name.isEmpty else {
      #expect(throws: LogWriterError.self) { try writer.addSection("", name: "x", byteCount: 8) }
      return
    }
    #expect(throws: LogWriterError.self) { try writer.addSection("Test", name: name, byteCount: 8) }
    #expect(throws: LogWriterError.self) { try writer.addSection(name, name: "x", byteCount: 8) }
  }

  // MARK: The single file

  @Test func `a single file has a list of sections that fill it`() throws {
    let directory = try TemporaryDirectory()
    let writer = try LogWriter(directory: directory.path, options: Self.options(.singleFile))
    let walk = try SectionWalk(directory.path)
    #expect(walk.master == getpid())
    let (first, number) = try #require(try walk.sections())
    #expect(first.map(\.kind) == ["Arg", "MgrCld", "StatDoc", "Stat", "Log", "Free"])
    #expect(first[0].type == "-i" && first[3].type == "" && first[3].byteCount / 8 == 98)
    #expect(first.dropFirst().allSatisfy { $0.offset % 8 == 0 })
    let set = try writer.addCounters("eu", kind: "SHOP", [CounterDescription("sold", "Things sold")])
    set.add(41, to: 0)
    set.add(to: 0)
    let (second, nextNumber) = try #require(try walk.sections())
    #expect(nextNumber != number)
    let shop = try #require(second.first { $0.kind == "Stat" && $0.type == "SHOP" })
    #expect(shop.kind == "Stat" && shop.name == "eu")
    #expect(walk.base.load(fromByteOffset: shop.offset, as: UInt64.self) == 42)
    writer.close()
    #expect(walk.master == 0)
  }

  @Test func `a freed section is cool and as it was, until its time is over`() throws {
    let directory = try TemporaryDirectory()
    let writer = try LogWriter(directory: directory.path, options: Self.options(.singleFile))
    let walk = try SectionWalk(directory.path)
    let section = try writer.addSection("Test", name: "gone", byteCount: 1000) { $0[999] = 9 }
    let pinned = try #require(try walk.sections()?.list.first { $0.name == "gone" })
    try section.free()
    let cooling = try #require(try walk.sections()?.list.first { $0.name == "gone" })
    #expect(cooling.kind == "Cool")
    #expect(cooling.offset == pinned.offset && cooling.byteCount == pinned.byteCount)
    let state = walk.base.load(
      fromByteOffset: pinned.offset - SectionFileLayout.sectionHeaderByteCount
        + SectionFileLayout.stateOffset,
      as: UInt32.self)
    var now = timespec()
    clock_gettime(CLOCK_MONOTONIC, &now)
    #expect(abs(Int(state) - now.tv_sec) <= 1)
    // A section that would fit into the freed place is put elsewhere, and the old contents stay.
    _ = try writer.addSection("Test", name: "other", byteCount: 1000) {
      $0.initializeMemory(as: UInt8.self, repeating: 1)
    }
    #expect(walk.base.load(fromByteOffset: pinned.offset + 999, as: UInt8.self) == 9)
    #expect(try walk.sections()?.list.first { $0.name == "other" }?.offset != pinned.offset)
  }

  @Test func `space that has cooled is used again, in one piece`() throws {
    let directory = try TemporaryDirectory()
    var options = Self.options(.singleFile)
    options.cooldownSeconds = -1
    let writer = try LogWriter(directory: directory.path, options: options)
    let walk = try SectionWalk(directory.path)
    let before = try #require(try walk.sections()?.list)
    for round in 0..<50 {
      let sections = try (0..<10).map {
        try writer.addSection("Test", name: "r\(round).\($0)", byteCount: 4000)
      }
      for section in sections { try section.free() }
    }
    // The next allocation reclaims the sections that have cooled.
    try writer.addSection("Test", name: "last", byteCount: 8).free()
    try writer.addSection("Test", name: "last", byteCount: 8).free()
    let after = try #require(try walk.sections()?.list)
    #expect(after.count <= before.count + 1)
  }

  @Test func `a file that is full says what is free and what will be`() throws {
    let directory = try TemporaryDirectory()
    let writer = try LogWriter(directory: directory.path, options: Self.options(.singleFile))
    var sections: [LogSection] = []
    var failure: LogWriterError?
    while failure == nil, sections.count < 1000 {
      do throws(LogWriterError) {
        sections.append(try writer.addSection("Test", name: "n", byteCount: 8000))
      } catch {
        failure = error
      }
    }
    guard case .exhausted(_, 8000, let free, 0) = failure else {
      Issue.record("\(String(describing: failure))")
      return
    }
    #expect(free < 8000)
    try sections[0].free()
    do throws(LogWriterError) {
      _ = try writer.addSection("Test", name: "n", byteCount: 8000)
      Issue.record("a cool section was used")
    } catch {
      guard case .exhausted(_, _, _, let cooling) = error else { throw error }
      #expect(cooling >= 8000)
    }
    // The log goes on.
    writer.append(.cli, "still there")
    #expect(writer.statistics.records == 1)
  }

  @Test func `a reader of a list that changes a thousand times never takes a freed section for a live one`()
    throws
  {
    let directory = try TemporaryDirectory()
    let peer = try WriterPeer()
    try peer.order("open single 65536 \(directory.path)")
    let walk = try SectionWalk(directory.path)
    // Two changes each.
    try peer.tell("churn 500 2000")
    let limit = Deadline.after(.seconds(60))
    var walks = 0
    var discarded = 0
    var numbers: Set<UInt32> = []
    var isDone = false
    while !isDone {
      try #require(!limit.hasPassed)
      isDone = peer.process.output?.text.hasSuffix("churned\n") == true
      guard let (list, number) = try walk.sections() else {
        discarded += 1
        continue
      }
      walks += 1
      numbers.insert(number)
      for section in list where section.kind == "Test" {
        // Such a section is pinned: for ten seconds its bytes stay as they are, even if it is freed.
        let expected = UInt8(truncatingIfNeeded: Int(section.name.dropFirst(6)) ?? 0)
        let bytes = UnsafeRawBufferPointer(start: walk.base + section.offset, count: 64)
        try #require(bytes.allSatisfy { $0 == expected }, "\(section)")
      }
    }
    #expect(walks > 0 && numbers.count > 20)
    let (list, _) = try #require(try walk.sections())
    #expect(list.contains { $0.kind == "Cool" })
    #expect(!list.contains { $0.kind == "Test" })
    print("\(walks) walks over \(numbers.count) states, \(discarded) thrown away")
    try peer.kill()
  }
}
