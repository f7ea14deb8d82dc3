import Rendering
import TestSupport
import Testing
import Transactions
import VarnishLog

/// Renders sample records without a process around it.
///
/// For formats without times: those depend on the time zone that the tests run in.
struct Rendering {
  let rules: NCSARules
  let format: LineFormat

  /// Parses a format by the rules of a release, or by those that go with a log if there is no version.
  init(_ format: String, _ version: VarnishVersion?, isJSON: Bool = false) throws {
    rules = version.map { NCSARules($0, isStrict: true) } ?? .natural(for: .v73)
    self.format = try LineFormat(Array(format.utf8), rules: rules, isJSON: isJSON)
  }

  /// The lines of the transactions in `records`, of both sides.
  func lines(_ records: [SampleRecord]) -> [UInt8] {
    let lines = lines(records, keepsAll: true)
    // Keeping only the records that the format needs must give the same result as keeping all.
    #expect(self.lines(records, keepsAll: false) == lines)
    return lines
  }

  private func lines(_ records: [SampleRecord], keepsAll: Bool) -> [UInt8] {
    let tags = TagTable(.v73)
    var renderer = LineRenderer(format, tags: tags)
    var options = GroupingOptions(
      grouping: .vxid, candidateRule: .everything, wantsClient: true, wantsBackend: true,
      wantsESI: true)
    if !keepsAll { options.kept = renderer.wish }
    var grouper = Grouper<WideRecords>(options: options, tags: tags)
    var output: [UInt8] = []
    let room = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 1)
    defer { room.deallocate() }
    for record in records {
      record.words(.threeWord).withUnsafeBytes { bytes in
        guard let start = bytes.baseAddress else { return }
        grouper.addEach(RecordRun(start: start, byteCount: bytes.count))
        while let group = grouper.next() {
          for index in 0..<group.count {
            var line = LineWriter(room)
            if renderer.render(group[index], to: &line) == .line { output += line.written }
          }
        }
      }
    }
    return output
  }

  /// The line of a client request with these records.
  func line(_ records: [(tag: String, payload: [UInt8])]) -> [UInt8] {
    var all = SampleRecord.parse("2 c Begin req 1 rxreq", tags: .v8)
    all += records.map { SampleRecord(2, .client, tag: SampleTags.v8[$0.tag], bytes: $0.payload) }
    all += SampleRecord.parse("2 c End", tags: .v8)
    return lines(all)
  }
}
