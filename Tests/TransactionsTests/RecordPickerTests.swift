import TestSupport
import Testing
import Transactions
import VarnishLog

/// Picking records out of a transaction in one walk.
@Suite struct RecordPickerTests {
  /// What is picked out of a request with so many records of each of three tags, by their payloads.
  private func picked(of count: Int, _ wish: (SampleTags) -> PickWish) throws -> [String]? {
    var file = LogFileBuilder(.threeWord)
    file.add(2, .client, "Begin", "req 1 rxreq")
    for index in 0..<count {
      for tag in ["ReqHeader", "RespHeader", "VCL_Log"] { file.add(2, .client, tag, "\(tag) \(index)") }
    }
    file.add(2, .client, "End")
    var picker = RecordPicker<WideRecords>(wish(file.tags))
    var grouper = Grouper<WideRecords>(
      options: GroupingOptions(
        grouping: .vxid, candidateRule: .everything, wantsClient: true, wantsBackend: true, wantsESI: true),
      tags: TagTable(.v73))
    return try Array(file.bytes.dropFirst(4)).withUnsafeBytes { bytes in
      grouper.addEach(
        RecordRun(start: try #require(bytes.baseAddress), byteCount: bytes.count))
      guard let group = grouper.next() else {
        Issue.record("no transaction")
        return nil
      }
      return picker.pick(group[0]).map { picked in
        picked.records.map { String(decoding: $0.payload.droppingFinalNULs.buffer, as: UTF8.self) }
      }
    }
  }

  @Test func `what was wished for comes in the order of the log`() throws {
    let found = try picked(of: 2) { tags in
      var wish = PickWish()
      wish.want(UInt8(tags["VCL_Log"]))
      wish.want(UInt8(tags["RespHeader"]))
      return wish
    }
    #expect(found == ["RespHeader 0", "VCL_Log 0", "RespHeader 1", "VCL_Log 1"])
  }

  @Test func `a transaction of very many records is left to those who want some`() throws {
    func wish(_ tags: SampleTags) -> PickWish {
      var wish = PickWish()
      wish.want(UInt8(tags["VCL_Log"]))
      return wish
    }
    #expect(try picked(of: 1000, wish)?.count == 1000)
    #expect(try picked(of: 5000, wish) == nil)
  }
}
