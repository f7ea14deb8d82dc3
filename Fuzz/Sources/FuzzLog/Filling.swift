import VarnishLog

/// Records of a tag that hardly any format reads, to make a log long without making it slow.
enum Filling {
  /// Together the records are larger than a pipe's window of 256 KiB.
  private static let recordCount = 5
  /// The tag `Debug` of every numbering.
  private static let tag: UInt8 = 1

  /// Puts filling into a log file.
  ///
  /// - Parameters:
  ///   - bytes: the file, with its marker.
  ///   - count: how many records precede the filling.
  ///   - ofTransaction: whether the filling belongs to the transaction of the record in front of it, or to
  ///     none.
  static func insert(into bytes: inout [UInt8], behind count: Int, ofTransaction: Bool) {
    let isWide = bytes.count > 3 && bytes[3] == UInt8(ascii: "2")
    let headerByteCount = isWide ? WideRecords.headerByteCount : NarrowRecords.headerByteCount
    var at = min(4, bytes.count)
    var owner = [UInt8](repeating: 0, count: headerByteCount - 4)
    for _ in 0..<count {
      guard at + headerByteCount <= bytes.count else { break }
      let payloadByteCount = Int(bytes[at]) | Int(bytes[at + 1]) << 8
      let end = at + headerByteCount + (payloadByteCount + 3) & ~3
      guard end <= bytes.count else { break }
      if ofTransaction { owner = Array(bytes[at + 4..<at + headerByteCount]) }
      at = end
    }
    let payload = [UInt8](repeating: UInt8(ascii: "."), count: 0xFFFC)
    let record = [0xFC, 0xFF, isWide ? 1 : 0, tag] + owner + payload
    bytes.insert(contentsOf: repeatElement(record, count: recordCount).joined(), at: at)
  }
}
