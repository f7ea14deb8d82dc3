import TestSupport
import Testing
import Transactions
import VarnishLog

/// Picking records out of a transaction in one walk.
@Suite struct RecordCapturesTests {
  /// What is captured of a request with so many records of each of three tags, by their payloads.
  private func captured(
    of count: Int, query: [String], line: [String]
  ) throws -> (query: [String], line: [String])? {
    var file = LogFileBuilder(.threeWord)
    file.add(2, .client, "Begin", "req 1 rxreq")
    for index in 0..<count {
      for tag in ["ReqHeader", "RespHeader", "VCL_Log"] { file.add(2, .client, tag, "\(tag) \(index)") }
    }
    file.add(2, .client, "End")
    func set(_ names: [String]) -> TagSet {
      var set = TagSet()
      for name in names { set.insert(UInt8(file.tags[name])) }
      return set
    }
    var captures = RecordCaptures(query: set(query), line: set(line))
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
      func texts(_ records: UnsafeBufferPointer<Record<WideRecords>>) -> [String] {
        records.map { String(decoding: $0.payload.droppingFinalNULs.buffer, as: UTF8.self) }
      }
      return captures.capture(group[0]).map { (texts($0.query), texts($0.line)) }
    }
  }

  @Test func `each gets what it asked for, in the order of the log`() throws {
    let found = try captured(of: 2, query: ["VCL_Log", "RespHeader"], line: ["ReqHeader", "VCL_Log"])
    #expect(found?.query == ["RespHeader 0", "VCL_Log 0", "RespHeader 1", "VCL_Log 1"])
    #expect(found?.line == ["ReqHeader 0", "VCL_Log 0", "ReqHeader 1", "VCL_Log 1"])
  }

  @Test func `a transaction of very many records is left to those who want some`() throws {
    #expect(try captured(of: 1000, query: ["VCL_Log"], line: ["VCL_Log"])?.query.count == 1000)
    #expect(try captured(of: 5000, query: ["VCL_Log"], line: ["VCL_Log"]) == nil)
  }
}
