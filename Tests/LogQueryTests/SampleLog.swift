import LogQuery
import TestSupport
import Testing
import Transactions
import VarnishLog

/// A log on which to evaluate queries within the test's process.
struct SampleLog {
  private let bytes: [UInt8]
  private let layout: SampleLayout
  private let tags: TagTable

  /// Takes the bytes of a log file.
  init(file: [UInt8], tags: TagTable) {
    bytes = Array(file.dropFirst(4))
    layout = file.starts(with: SampleLayout.twoWord.fileMagic) ? .twoWord : .threeWord
    self.tags = tags
  }

  /// Takes lines of the form `2 c Begin req 1 rxreq`.
  init(_ layout: SampleLayout = .twoWord, lines: String) {
    self.init(
      file: LogFileBuilder(layout, lines: lines).bytes,
      tags: TagTable(layout == .twoWord ? .v41 : .v73))
  }

  /// Makes one request for each text, with a record that contains it; the requests' numbers are 2, 4, 6 and
  /// so on.
  init(_ layout: SampleLayout = .twoWord, texts: [[UInt8]], tag: String = "VCL_Log") {
    var file = LogFileBuilder(layout)
    for (index, text) in texts.enumerated() {
      let vxid = UInt64(2 + 2 * index)
      file.add(vxid, .client, "Begin", "req 1 rxreq")
      file.add(SampleRecord(vxid, .client, tag: file.tags[tag], bytes: text))
      file.add(vxid, .client, "End")
    }
    self.init(file: file.bytes, tags: TagTable(layout == .twoWord ? .v41 : .v73))
  }

  /// A query by 7.1's rules, for a log of that release.
  static func query(_ text: String) throws(QueryError) -> Query {
    try Query(
      [text], caseless: false, version: VarnishVersion(7, 1), isStrict: true, tags: TagTable(.v41))
  }

  /// The log as the bytes of a file.
  var file: [UInt8] { layout.fileMagic + bytes }

  /// The requests' transactions that are in the groups selected by a query.
  func matches(
    _ queries: [String], caseless: Bool = false, version: VarnishVersion = VarnishVersion(7, 1, 1),
    isStrict: Bool = true, grouping: Grouping = .vxid
  ) throws(QueryError) -> [UInt64] {
    var query = try Query(
      queries, caseless: caseless, version: version, isStrict: isStrict, tags: tags)
    switch layout {
    case .twoWord: return matches(&query, NarrowRecords.self, grouping)
    case .threeWord: return matches(&query, WideRecords.self, grouping)
    }
  }

  func matches(
    _ query: String, caseless: Bool = false, version: VarnishVersion = VarnishVersion(7, 1, 1),
    isStrict: Bool = true, grouping: Grouping = .vxid
  ) throws(QueryError) -> [UInt64] {
    try matches(
      [query], caseless: caseless, version: version, isStrict: isStrict, grouping: grouping)
  }

  private func matches<Layout: RecordLayout>(
    _ query: inout Query, _: Layout.Type, _ grouping: Grouping
  ) -> [UInt64] {
    let matches = matches(&query, Layout.self, grouping, keepsAll: true)
    // Keeping only the records that the query needs must give the same result as keeping all.
    #expect(self.matches(&query, Layout.self, grouping, keepsAll: false) == matches)
    return matches
  }

  private func matches<Layout: RecordLayout>(
    _ query: inout Query, _: Layout.Type, _ grouping: Grouping, keepsAll: Bool
  ) -> [UInt64] {
    var options = GroupingOptions(
      grouping: grouping, candidateRule: .everything, wantsClient: true, wantsBackend: true,
      wantsESI: true)
    if !keepsAll { options.kept = query.wish }
    var grouper = Grouper<Layout>(options: options, tags: tags)
    var matches: [UInt64] = []
    bytes.withUnsafeBytes { buffer in
      guard let start = buffer.baseAddress else { return }
      var cursor = RecordRun<Layout>(start: start, byteCount: buffer.count).makeCursor()
      while let record = cursor.next() {
        grouper.addEach(RecordRun(start: record.address, byteCount: record.bytes.count))
        while let group = grouper.next() {
          guard query.matches(group) else { continue }
          for index in 0..<group.count where [.request, .backendRequest].contains(group[index].type) {
            matches.append(group[index].vxid)
          }
        }
      }
    }
    return matches
  }
}
