import TestSupport
import Testing
@testable import Transactions
import VarnishLog

/// The memory that a grouper uses for transactions that haven't ended.
struct StoredRecordsTests {
  /// Requests of which one header in fifty is wanted, cut into pieces.
  private struct Requests {
    let count = 200
    let pieceLength: Int
    let tags = SampleTags.v8

    func records(_ vxid: UInt64) -> [SampleRecord] {
      var records = [SampleRecord(vxid, .client, "Begin", "req 1 rxreq", tags: tags)]
      for number in 0..<50 {
        let name = number == 25 ? "X-Wanted" : "X-Other"
        records.append(
          SampleRecord(
            vxid, .client, "ReqHeader", "\(name): \(vxid) \(String(repeating: "x", count: 100))", tags: tags))
      }
      return records
    }

    func wish() -> PickWish {
      var wish = PickWish()
      wish.want(tags["ReqHeader"], beginningWith: [Array("x-wanted:".utf8)])
      return wish
    }

    var options: GroupingOptions {
      var options = GroupingOptions(
        grouping: .vxid, candidateRule: .everything, wantsClient: true, wantsBackend: true, wantsESI: true)
      options.kept = wish()
      return options
    }
  }

  private func add(_ records: [SampleRecord], to grouper: inout Grouper<WideRecords>) -> [String] {
    var payloads: [String] = []
    records.flatMap { $0.words(.threeWord) }.withUnsafeBytes { bytes in
      guard let start = bytes.baseAddress else { return }
      grouper.addEach(RecordRun(start: start, byteCount: bytes.count))
      while let group = grouper.next() {
        _ = group[0].forEachPicked { record in
          payloads.append(record.payload.droppingFinalNULs.text)
          return true
        }
      }
    }
    return payloads
  }

  @Test(arguments: [1, 7, 51])
  func `no more is held of open requests than is wanted of them`(pieceLength: Int) {
    let requests = Requests(pieceLength: pieceLength)
    var grouper = Grouper<WideRecords>(options: requests.options, tags: TagTable(.v73))
    for vxid in 1...UInt64(requests.count) {
      let records = requests.records(vxid)
      for start in stride(from: 0, to: records.count, by: pieceLength) {
        let payloads = add(Array(records[start..<min(start + pieceLength, records.count)]), to: &grouper)
        #expect(payloads.isEmpty)
      }
    }
    // A record of some 130 bytes, rounded up to a whole block.
    let heldMax = 192
    #expect(grouper.heldByteCount <= requests.count * heldMax)
    for vxid in 1...UInt64(requests.count) {
      let end = SampleRecord(vxid, .client, "End", "", tags: requests.tags)
      let payloads = add([end], to: &grouper)
      #expect(payloads == ["X-Wanted: \(vxid) \(String(repeating: "x", count: 100))", ""])
    }
    #expect(grouper.heldByteCount == 0)
  }
}

extension Grouper {
  /// The size of the memory for the records of open transactions, in bytes.
  fileprivate var heldByteCount: Int { slots.indices.reduce(0) { $0 + slots[$1].store.capacity } }
}
