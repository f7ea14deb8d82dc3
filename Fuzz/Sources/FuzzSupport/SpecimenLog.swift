package import Transactions
package import VarnishLog

/// The same few transactions for every input, as a log with a given numbering.
///
/// Each is in memory of exactly its size, so that the address sanitizer sees every read beyond it.
package final class SpecimenLog<Layout: RecordLayout> {
  /// The log's numbering.
  package let tags: TagTable
  private let runs: [RecordRun<Layout>]

  /// Makes the log for a numbering, which is kept until the process ends.
  package init(_ numbering: TagNumbering) {
    let tags = TagTable(numbering)
    self.tags = tags
    runs = Specimen.all.map { Self.encode($0, tags) }
  }

  private static func encode(_ specimen: Specimen, _ tags: TagTable) -> RecordRun<Layout> {
    let records = specimen.records.compactMap { record in
      tags.number(of: record.tag).map { (tag: $0, payload: record.payload) }
    }
    func byteCount(_ payload: [UInt8]) -> Int { Layout.headerByteCount + (payload.count + 3) & ~3 }
    let total = records.reduce(0) { $0 + byteCount($1.payload) }
    let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: total, alignment: 8)
    guard let start = memory.baseAddress else { violated("a transaction of nothing") }
    memory.initializeMemory(as: UInt8.self, repeating: 0)
    var at = 0
    for record in records {
      Layout.writeHeader(
        to: start + at, tag: record.tag, payloadByteCount: record.payload.count, vxid: specimen.vxid,
        side: specimen.side)
      (start + at + Layout.headerByteCount).copyMemory(
        from: record.payload, byteCount: record.payload.count)
      at += byteCount(record.payload)
    }
    return RecordRun(start: UnsafeRawPointer(start), byteCount: total)
  }

  /// Calls `body` with each group, always in the same order.
  ///
  /// - Parameter kept: the records that must survive until the group is finished.
  package func forEachGroup(
    _ grouping: Grouping, keeping kept: PickWish, _ body: (TransactionGroup<Layout>) -> Void
  ) {
    var options = GroupingOptions(
      grouping: grouping, candidateRule: .everything, wantsClient: true, wantsBackend: true,
      wantsESI: true)
    options.kept = kept
    var grouper = Grouper<Layout>(options: options, tags: tags)
    for run in runs {
      grouper.add(run)
      while let group = grouper.next() { body(group) }
    }
    grouper.flush()
    while let group = grouper.next() { body(group) }
  }
}

/// The logs of all numberings.
package final class SpecimenLogs {
  // libFuzzer calls from one thread only.
  nonisolated(unsafe) package static let shared = SpecimenLogs()

  package let v40 = SpecimenLog<NarrowRecords>(.v40)
  package let v41 = SpecimenLog<NarrowRecords>(.v41)
  package let v73 = SpecimenLog<WideRecords>(.v73)
  package let v90 = SpecimenLog<WideRecords>(.v90)

  private init() {}
}
