import LogReading
import TestSupport
import VarnishLog

/// Records of a real log, read with the program's own reader.
struct RecordedLog: Sendable {
  /// The path of the log.
  let path: String
  /// All records of the log.
  let records: [SampleRecord]

  /// Reads a log whose records have two header words.
  init(_ path: String) throws {
    self.path = path
    var source = FileRecords<NarrowRecords>(try LogFile(path: path), assuming: nil)
    source.includesUnattributed = true
    try source.begin()
    var records: [SampleRecord] = []
    while case .records(let run) = try source.next() {
      var cursor = run.makeCursor()
      while let record = cursor.next() {
        records.append(
          SampleRecord(
            record.vxid, Self.side(record.side), tag: record.tag, bytes: Array(record.payload.buffer),
            terminated: false))
      }
    }
    self.records = records
  }

  private static func side(_ side: Side) -> SampleRecord.Side {
    switch side {
    case .none: .none
    case .client: .client
    case .backend: .backend
    }
  }
}
