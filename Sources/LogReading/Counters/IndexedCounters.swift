import CShims
import Platform
import SharedMemory
import VarnishLog

/// The counters of a server since 5.2, in the sections that its two indexes list (`shm-layout.md` 5, 8).
///
/// Each sample is read from the sections that the indexes list at that moment, and a section counts if it is
/// still listed after it was read: by then, the place where its counters were may be another section's.
struct IndexedCounters: ~Copyable {
  private var manager = CounterIndex(directoryName: "_.vsm_mgt")
  private var worker = CounterIndex(directoryName: "_.vsm_child")
  private var managerDescriptions = DescriptionShelf()
  private var workerDescriptions = DescriptionShelf()

  /// How often indexes that change are read anew for a sample.
  private static let attemptsMax = 5

  /// Reads all counters.
  ///
  /// - Returns: nil if no manager has published itself.
  /// - Throws: `SystemError` if something is listed and can't be read.
  mutating func sample(in directory: borrowing ReadOnlyFile) throws(SystemError) -> CounterSample? {
    for attempt in 1...Self.attemptsMax {
      try manager.refresh(in: directory)
      if manager.writer == nil { worker.forget() } else { try worker.refresh(in: directory) }
      guard manager.writer != nil else { return nil }
      var room = CounterSample.countMax
      managerDescriptions.keep(manager.listing)
      workerDescriptions.keep(worker.listing)
      let (managers, workers) = (manager.reading, worker.reading)
      let own = try managerDescriptions.read(manager, in: directory, &room)
      let child = try workerDescriptions.read(worker, in: directory, &room)
      let isSame = manager.isUnchanged(in: directory) && worker.isUnchanged(in: directory)
      if !isSame, attempt < Self.attemptsMax { continue }
      var sections = own + child
      if !isSame {
        try manager.refresh(in: directory)
        try worker.refresh(in: directory)
        sections =
          own.filter { manager.stillLists($0.line, of: managers) }
          + child.filter { worker.stillLists($0.line, of: workers) }
      }
      return CounterSample(
        layout: layout(managers.listing, workers.listing), sections: sections.map(\.section),
        isComplete: room >= 0)
    }
    return nil
  }

  private func layout(_ manager: IndexListing, _ worker: IndexListing) -> CounterSample.Layout {
    switch manager.spelling ?? worker.spelling {
    case .plain: .plainIndex
    case .placed: .placedIndex
    case .signed, nil: .signedIndex
    }
  }
}

/// What was read of one line of an index.
struct ListedSection {
  /// The line's number.
  let line: Int
  let section: CounterSample.Section
}

/// The descriptions that one index lists, read once each, by which its sections of counters are read.
private struct DescriptionShelf {
  /// The descriptions by the names of their files.
  private var read: [String: Described] = [:]
  /// The process that gave these names.
  private var writer: LogIncarnation.Writer?

  private struct Described {
    /// The number by which sections refer to the description; 0 in 5.2, where each section has its own.
    let number: UInt64
    let descriptions: CounterDescriptions?
  }

  /// Forgets descriptions that aren't listed any more.
  mutating func keep(_ listing: IndexListing) {
    if read.isEmpty { return }
    let names = Set(listing.lines.lazy.filter { !$0.isRemoved }.map(\.fileName))
    read = read.filter { names.contains($0.key) }
  }

  /// Reads the sections of counters that an index lists.
  ///
  /// - Parameter room: how many more counters may be taken in; negative once there were too many.
  mutating func read(
    _ index: borrowing CounterIndex, in directory: borrowing ReadOnlyFile, _ room: inout Int
  ) throws(SystemError) -> [ListedSection] {
    guard let writer = index.writer else { return [] }
    if self.writer != writer { read = [:] }
    self.writer = writer
    let isPlain = index.listing.spelling == .plain
    var files = MappedCounterFiles(directoryName: index.directoryName)
    if !isPlain { try readDescriptions(index.listing, &files, in: directory) }
    let byNumber = Dictionary(
      read.values.map { ($0.number, $0.descriptions) }, uniquingKeysWith: { first, _ in first })
    var sections: [ListedSection] = []
    for (number, line) in index.listing.lines.enumerated()
    where line.kind == "Stat" && !line.isRemoved && room >= 0 {
      try files.open(line, in: directory)
      let found = files.with(line) { (mapping, range) -> (CounterDescriptions, [UInt64?])? in
        isPlain
          ? plainSection(mapping, range, line.fileName, &room)
          : Self.section(mapping, range, byNumber, &room)
      }
      guard let (descriptions, values) = found ?? nil else { continue }
      let life = "\(index.directoryName)/\(line.fileName)+\(line.offset) \(writer.pid) \(writer.birth)"
      let section = CounterSample.Section(
        name: line.name, life: life, descriptions: descriptions, values: values)
      sections.append(ListedSection(line: number, section: section))
    }
    return sections
  }

  private mutating func readDescriptions(
    _ listing: IndexListing, _ files: inout MappedCounterFiles, in directory: borrowing ReadOnlyFile
  ) throws(SystemError) {
    for line in listing.lines where line.kind == "StatDoc" && !line.isRemoved && read[line.fileName] == nil {
      try files.open(line, in: directory)
      let found = files.with(line) { (mapping, range) -> Described? in
        guard let head = DescribedSection(mapping, range),
          let text = mapping.text(at: 0, in: head.body, byteCountMax: CounterDescriptions.byteCountMax),
          head.holds(mapping, range)
        else { return nil }
        return Described(number: head.number, descriptions: try? CounterDescriptions(json: text))
      }
      // A description that isn't ready yet is looked at again for the next sample.
      if let described = found ?? nil { read[line.fileName] = described }
    }
  }

  private static func section(
    _ mapping: borrowing ReadOnlyMapping, _ range: Range<Int>,
    _ byNumber: [UInt64: CounterDescriptions?], _ room: inout Int
  ) -> (CounterDescriptions, [UInt64?])? {
    guard let head = DescribedSection(mapping, range) else { return nil }
    let descriptions =
      (byNumber[head.number] ?? nil)
      ?? CounterDescriptions(words: stride(from: 0, to: head.body.count & ~7, by: 8))
    guard let values = values(mapping, head.body, descriptions, &room), head.holds(mapping, range) else {
      return nil
    }
    return (descriptions, values)
  }

  /// Reads a section of 5.2: how many bytes of counters there are, those, and their description (`shm-layout.md` 8.2).
  private mutating func plainSection(
    _ mapping: borrowing ReadOnlyMapping, _ range: Range<Int>, _ fileName: String, _ room: inout Int
  ) -> (CounterDescriptions, [UInt64?])? {
    guard let length = mapping.counter(at: 0, in: range)?.byteSwapped, length > 0,
      length <= UInt64(range.count - 8)
    else { return nil }
    if read[fileName] == nil {
      let text = mapping.text(
        at: 8 + Int(length), in: range, byteCountMax: CounterDescriptions.byteCountMax)
      read[fileName] = Described(
        number: 0, descriptions: text.flatMap { try? CounterDescriptions(json: $0) })
    }
    let descriptions =
      read[fileName]?.descriptions
      ?? CounterDescriptions(words: stride(from: 8, to: 8 + Int(length) & ~7, by: 8))
    // In 5.2, counters' offsets count from the section's beginning.
    let counters = range.prefix(8 + Int(length))
    guard let values = Self.values(mapping, counters, descriptions, &room) else { return nil }
    shim_fence_acquire()
    guard mapping.counter(at: 0, in: range)?.byteSwapped == length else { return nil }
    return (descriptions, values)
  }

  private static func values(
    _ mapping: borrowing ReadOnlyMapping, _ body: Range<Int>, _ descriptions: CounterDescriptions,
    _ room: inout Int
  ) -> [UInt64?]? {
    room -= descriptions.counters.count
    guard room >= 0 else { return nil }
    var values: [UInt64?] = []
    values.reserveCapacity(descriptions.counters.count)
    for counter in descriptions.counters { values.append(mapping.counter(at: counter.offset, in: body)) }
    return values
  }
}
