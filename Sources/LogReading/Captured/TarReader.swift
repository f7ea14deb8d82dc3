/// Walks the members of a tar archive, in one pass.
struct TarReader: ~Copyable {
  private(set) var input: LogInput
  /// How many bytes of the present member's content, and of the padding behind it, are still to be read.
  private var contentLeft = 0, paddingLeft = 0
  /// Where the next byte stands in the archive.
  private(set) var offset = 0

  /// A file in the archive.
  struct Member {
    /// Its name, without `.` and empty parts.
    let path: String
    /// Where its content begins in the archive.
    let offset: Int
    let byteCount: Int
    /// Whether parts of it were left out, so that its content isn't what the file was.
    let isSparse: Bool
  }

  /// The most bytes that a long name, or the attributes of a member, may have.
  private static let metadataByteCountMax = 1 << 20

  /// Begins to read an archive, of which nothing has been read yet.
  init(_ input: consuming LogInput) { self.input = input }

  /// The next file; nil at the end.
  ///
  /// - Throws: `LogError` if the archive is damaged or cut in front of it.
  mutating func next() throws(LogError) -> Member? {
    var longName: [UInt8]?
    var extended = Extended()
    while true {
      let header: TarHeader
      guard let bytes = try nextHeader() else { return nil }
      do {
        header = try TarHeader(bytes)
      } catch {
        throw damaged(
          error == .checksum ? "no header of a tar archive, by its checksum" : "a tar header with no size")
      }
      let size = extended.size ?? header.size
      switch header.kind {
      case .longName:
        begin(header.size)
        longName = Array(try metadata().prefix { $0 != 0 })
      case .extended:
        begin(header.size)
        extended = Extended(try metadata())
      case .directory, .other:
        begin(header.size)
        (longName, extended) = (nil, Extended())
      case .file, .sparse:
        begin(size)
        let name = extended.path ?? longName.map { $0[...] } ?? header.name[...]
        return Member(
          path: Self.normalized(name), offset: offset, byteCount: size,
          isSparse: header.kind == .sparse || extended.isSparse)
      }
    }
  }

  /// Reads on in the present member; nil at its end, or where the archive is cut.
  mutating func read(into buffer: UnsafeMutableRawBufferPointer) throws(LogError) -> Int? {
    guard contentLeft > 0 else { return nil }
    let room = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[..<min(buffer.count, contentLeft)])
    guard let count = unsafe try input.read(into: room) else { return nil }
    contentLeft -= count
    offset += count
    return count
  }

  /// The rest of the present member; nil if it is longer than `limit`, or cut.
  mutating func contents(limit: Int) throws(LogError) -> [UInt8]? {
    guard contentLeft <= limit else { return nil }
    let wanted = contentLeft
    let bytes = try input.peek(wanted)
    guard bytes.count == wanted, try input.skip(wanted) else { return nil }
    contentLeft = 0
    offset += wanted
    return bytes
  }

  private mutating func begin(_ size: Int) {
    contentLeft = size
    paddingLeft = (512 - size % 512) % 512
  }

  /// The next header's bytes; nil at the end.
  private mutating func nextHeader() throws(LogError) -> [UInt8]? {
    guard try input.skip(contentLeft), try input.skip(paddingLeft) else { return nil }
    offset += contentLeft + paddingLeft
    (contentLeft, paddingLeft) = (0, 0)
    let bytes = try input.peek(TarHeader.byteCount)
    guard bytes.count == TarHeader.byteCount, bytes.contains(where: { $0 != 0 }) else { return nil }
    _ = try input.skip(bytes.count)
    offset += bytes.count
    return bytes
  }

  private mutating func metadata() throws(LogError) -> [UInt8] {
    guard contentLeft <= Self.metadataByteCountMax else {
      throw damaged("a tar header of \(contentLeft) bytes, where a name would be")
    }
    guard let bytes = try contents(limit: Self.metadataByteCountMax) else {
      throw damaged("the archive is cut off")
    }
    return bytes
  }

  private func damaged(_ problem: String) -> LogError {
    .damaged(path: input.path, offset: offset, isDecoded: input.isDecoded, problem: problem)
  }

  private static func normalized(_ name: some Sequence<UInt8>) -> String {
    String(decoding: Array(name), as: UTF8.self).split(separator: "/").filter { $0 != "." }
      .joined(separator: "/")
  }

  /// What an extended header says, in lines of the form `LENGTH KEY=VALUE`.
  private struct Extended {
    private(set) var path: ArraySlice<UInt8>?
    private(set) var size: Int?
    private(set) var isSparse = false

    init() {}

    init(_ bytes: [UInt8]) {
      var rest = bytes[...]
      while let blank = rest.firstIndex(of: 0x20),
        let length = Int(String(decoding: rest[..<blank], as: UTF8.self)),
        length > blank - rest.startIndex, length <= rest.count
      {
        let record = rest[(blank + 1)..<(rest.startIndex + length)]
        rest = rest.dropFirst(length)
        guard let equals = record.firstIndex(of: UInt8(ascii: "=")) else { continue }
        let value = record[(equals + 1)...].dropLast()
        switch String(decoding: record[..<equals], as: UTF8.self) {
        case "path": path = value
        case "size":
          size = Int(String(decoding: value, as: UTF8.self)).flatMap { $0 >= 0 && $0 < 1 << 62 ? $0 : nil }
        case "GNU.sparse.realsize", "GNU.sparse.size", "GNU.sparse.major": isSparse = true
        default: continue
        }
      }
    }
  }
}
