/// The list of shared-memory segments that a server's process publishes (`shm-layout.md` 5.2).
///
/// Three spellings exist: `file length class ident`, `file offset length class ident`, and the same with
/// `+` or `-` in front, where a `-` takes an earlier line back.
package struct InstanceIndex: Equatable, Sendable {
  /// The longest index that is read, in bytes.
  package static let byteCountMax = 16 << 20

  /// The writing process and when it began, from the `#` line; nil if there is none yet.
  package private(set) var writer: LogIncarnation.Writer?
  /// The segment that holds the log.
  package private(set) var log: Segment?

  package struct Segment: Equatable, Sendable {
    package let fileName: String
    package let offset: Int
    package let byteCount: Int
  }

  /// Reads an index as far as it is complete: what stands behind the last newline is still being written.
  package init(_ bytes: [UInt8]) {
    guard let end = bytes.lastIndex(of: UInt8(ascii: "\n")) else { return }
    for line in bytes[..<end].split(separator: UInt8(ascii: "\n")) {
      let fields = line.split(separator: UInt8(ascii: " ")).map { String(decoding: $0, as: UTF8.self) }
      guard let first = fields.first else { continue }
      switch first {
      case "#": readHeader(fields)
      case "+":
        if log == nil { log = Self.segment(fields.dropFirst(), hasOffset: true) }
      case "-":
        if let gone = Self.segment(fields.dropFirst(), hasOffset: true), gone == log { log = nil }
      default:
        guard log == nil else { continue }
        // The class is a word, so a third number means that there is an offset.
        let hasOffset = fields.count > 2 && Int(fields[2]) != nil
        log = Self.segment(fields[...], hasOffset: hasOffset)
      }
    }
  }

  private mutating func readHeader(_ fields: [String]) {
    guard fields.count >= 3, let pid = Int32(fields[1]), let birth = Int64(fields[2]) else { return }
    writer = LogIncarnation.Writer(pid: pid, birth: birth)
  }

  /// The segment a line describes, if it is a log; a name with a slash would lead out of the directory.
  private static func segment(_ fields: ArraySlice<String>, hasOffset: Bool) -> Segment? {
    let fields = Array(fields)
    let classIndex = hasOffset ? 3 : 2
    guard fields.count > classIndex, fields[classIndex] == "Log", !fields[0].contains("/"),
      fields[0] != ".", fields[0] != "..",
      let byteCount = Int(fields[classIndex - 1]), byteCount > 0,
      let offset = hasOffset ? Int(fields[1]) : 0, offset >= 0
    else { return nil }
    return Segment(fileName: fields[0], offset: offset, byteCount: byteCount)
  }
}
