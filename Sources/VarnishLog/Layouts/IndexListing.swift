/// All that an index of shared memory lists, and what it has taken back (`shm-layout.md` 5.2).
///
/// `InstanceIndex` is what a reader of the log needs of the same bytes.
package struct IndexListing: Sendable {
  /// One piece of shared memory.
  package struct Line: Sendable {
    package let fileName: String
    /// Where in the file it begins, and how long it is, in bytes.
    package let offset: Int, byteCount: Int
    /// Its class, such as `Stat`, and its name within the class; a cluster of other pieces has neither.
    package let kind: String, name: String
    /// Whether a later line takes it back.
    package fileprivate(set) var isRemoved = false
  }

  /// How lines are spelled, which tells the releases that write so.
  package enum Spelling: Sendable {
    /// `file length class ident`: 5.2
    case plain
    /// `file offset length class ident`: 6.0 to 6.2
    case placed
    /// As `placed`, with a sign in front: 6.0.5 and later in 6.0, 6.3 and newer
    case signed
  }

  /// How the first line is spelled; nil if there is none.
  package private(set) var spelling: Spelling?
  /// The lines, in the order of the index.
  package private(set) var lines: [Line] = []
  /// How many lines list nothing that has a place and a length, or are more than are taken.
  package private(set) var unreadCount = 0

  private static let lineCountMax = 20_000

  /// Lists nothing.
  package init() {}

  /// Reads an index as far as it is complete: what stands behind the last newline is still being written.
  package init(_ bytes: [UInt8]) {
    guard let end = bytes.lastIndex(of: UInt8(ascii: "\n")) else { return }
    // The indices in `lines` of the pieces that are listed at present, by their fields.
    var places: [String: [Int]] = [:]
    for line in bytes[..<end].split(separator: UInt8(ascii: "\n")) {
      guard line.first != UInt8(ascii: "#") else { continue }
      var fields = line.split(separator: UInt8(ascii: " ")).map { String(decoding: $0, as: UTF8.self) }
      let sign = fields.first == "+" || fields.first == "-" ? fields.removeFirst() : ""
      let key = fields.joined(separator: " ")
      if sign == "-" {
        if let place = places[key]?.popLast() { lines[place].isRemoved = true } else { unreadCount += 1 }
        continue
      }
      guard lines.count < Self.lineCountMax, let line = Self.line(fields) else {
        unreadCount += 1
        continue
      }
      if lines.isEmpty { spelling = sign == "+" ? .signed : Self.hasOffset(fields) ? .placed : .plain }
      places[key, default: []].append(lines.count)
      lines.append(line)
    }
  }

  /// A class is a word, so a third number means that there is an offset.
  private static func hasOffset(_ fields: [String]) -> Bool { fields.count > 2 && Int(fields[2]) != nil }

  private static func line(_ fields: [String]) -> Line? {
    let kindIndex = hasOffset(fields) ? 3 : 2
    guard fields.count >= kindIndex, let byteCount = Int(fields[kindIndex - 1]), byteCount >= 0,
      let offset = kindIndex == 3 ? Int(fields[1]) : 0, offset >= 0
    else { return nil }
    return Line(
      fileName: fields[0], offset: offset, byteCount: byteCount,
      kind: fields.count > kindIndex ? fields[kindIndex] : "",
      name: fields.dropFirst(kindIndex + 1).joined(separator: " "))
  }
}
