import CShims
import SharedMemory
import VarnishLog

/// The counters in the one file of a server before 5.2, or of a `LogWriter` (`shm-layout.md` 2 to 4, 8.3).
extension SingleFile {
  /// How often a list that changes is walked anew for a sample.
  private static let attemptsMax = 5

  /// Reads all counters.
  ///
  /// A section that is given back stays as it was for seconds, without its class or its length. So one whose header is
  /// the same before and after its counters were read was the same section all the time.
  ///
  /// - Parameter life: what tells this file and its writer from others, for `CounterSample.Section.life`.
  func sampleCounters(life: String) -> CounterSample {
    var (room, found) = (CounterSample.countMax, [CounterSample.Section]())
    for attempt in 1...Self.attemptsMax {
      let number = listNumber
      let isChanging = layout == .sections && number == 0
      if isChanging, attempt < Self.attemptsMax { continue }
      (room, found) = (CounterSample.countMax, [])
      let list = sections().all.filter { $0.state == .live }
      let shelf = descriptions(in: list)
      for section in list where section.kind == "Stat" && room >= 0 {
        if let read = read(section, shelf, life, &room) { found.append(read) }
      }
      shim_fence_acquire()
      if number == listNumber, !isChanging { break }
    }
    return CounterSample(layout: .singleFile, sections: found, isComplete: room >= 0)
  }

  private func read(
    _ section: SharedSection, _ shelf: [String: CounterDescriptions], _ life: String, _ room: inout Int
  ) -> CounterSample.Section? {
    let body = (section.offset..<section.offset + section.byteCount).dropFirst(headerByteCount)
    let words = wordOffsets(in: section)
    let described = shelf[Self.key(section.type, section.name)] ?? shelf[Self.key(section.type, "")]
    // Only a `LogWriter` describes its counters; what those of a server mean, only its release knows.
    let descriptions = described ?? CounterDescriptions(words: words)
    room -= descriptions.counters.count
    guard room >= 0 else { return nil }
    var values: [UInt64?] = []
    for counter in descriptions.counters {
      values.append(mapping.counter(at: counter.offset, in: body))
    }
    shim_fence_acquire()
    guard isStill(section) else { return nil }
    return CounterSample.Section(
      name: Self.name(of: section, described), life: "\(life)+\(section.offset)",
      descriptions: descriptions, values: values)
  }

  /// What stands in front of the names of a section's counters.
  private static func name(of section: SharedSection, _ described: CounterDescriptions?) -> String {
    if let described { return section.name.isEmpty ? described.name.uppercased() : section.name }
    let name = [section.type, section.name].filter { !$0.isEmpty }.joined(separator: ".")
    return name.isEmpty ? section.kind : name
  }

  private var headerByteCount: Int {
    switch layout {
    case .flat: 0
    case .sections: SectionFileLayout.sectionHeaderByteCount
    case .chunks: ChunkFileLayout.chunkHeaderByteCount
    }
  }

  /// Where the words of a section are, from the end of its header; in 2.x from the file's beginning.
  private func wordOffsets(in section: SharedSection) -> StrideTo<Int> {
    switch layout {
    case .flat(let layout):
      // Behind the last counter stands the panic message.
      stride(
        from: layout.countersOffset, to: max(layout.countersOffset, section.byteCount - 65536 - 7), by: 8)
    case .sections, .chunks: stride(from: 0, to: max(0, section.byteCount - headerByteCount - 7), by: 8)
    }
  }

  /// Whether a section's header is the same as when it was listed.
  private func isStill(_ section: SharedSection) -> Bool {
    if case .flat = layout { return true }
    return label(at: section.offset).map { $0 == (section.kind, section.type, section.name) } ?? false
  }

  // MARK: Descriptions

  /// The descriptions that a `LogWriter` leaves: for the sections of a type, or for one of them.
  private func descriptions(in list: [SharedSection]) -> [String: CounterDescriptions] {
    var shelf: [String: CounterDescriptions] = [:]
    for section in list where section.kind == "StatDoc" && section.byteCount > headerByteCount {
      let range = section.offset + headerByteCount..<section.offset + section.byteCount
      guard let head = DescribedSection(mapping, range),
        let text = mapping.text(at: 0, in: head.body, byteCountMax: CounterDescriptions.byteCountMax),
        head.holds(mapping, range), isStill(section), let read = try? CounterDescriptions(json: text)
      else { continue }
      shelf[Self.key(section.type, section.name)] = read
    }
    return shelf
  }

  private static func key(_ type: String, _ name: String) -> String { "\(type)\0\(name)" }
}
