import Glibc
import Spool

/// Files of records, each of which is a byte with a length followed by that many bytes; a word precedes all
/// records.
///
/// An entry may consist of several records, so that the end of a record needn't be the end of an entry.
struct ProbeRecords: BinaryFormat {
  static let kind = BinaryKind(marker: 0x3142_4f52, variant: 1)
  private static let header: [UInt8] = Array("ROB1".utf8)

  func header(of kind: BinaryKind) -> [UInt8] { Self.header }

  func kind(ofFile path: String) -> BinaryKind? { contents(path).starts(with: Self.header) ? Self.kind : nil }

  func wholeByteCount(ofFile path: String) -> Int? {
    let bytes = contents(path)
    guard bytes.starts(with: Self.header) else { return nil }
    var end = Self.header.count
    while end < bytes.count, end + 1 + Int(bytes[end]) <= bytes.count { end += 1 + Int(bytes[end]) }
    return end
  }

  /// An entry of up to four records.
  static func entry(_ index: Int) -> [UInt8] {
    (0...index % 4).flatMap { part in
      let text = Array("\(index) \(part)\n".utf8)
      return [UInt8(text.count)] + text
    }
  }

  private func contents(_ path: String) -> [UInt8] {
    guard let file = fopen(path, "re") else { return [] }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 65_536)
    while case let count = fread(&chunk, 1, chunk.count, file), count > 0 { bytes += chunk.prefix(count) }
    return bytes
  }
}
