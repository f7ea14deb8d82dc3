import Platform
import Spool

/// How entries become the bytes of a file.
enum Encoder {
  /// As they are.
  case plain
  /// In gzip members, each of which waits in memory until it is complete.
  case gzip(MemberWriter)

  /// Makes the encoder that is asked for.
  /// - Parameter path: what is written, for messages.
  init(_ options: FileOptions, path: String) throws(SystemError) {
    guard let level = options.gzipLevel else {
      self = .plain
      return
    }
    self = .gzip(
      try MemberWriter(
        level: level, path: path, unsettled: options.keepsUnsettled ? UnsettledEntries() : nil))
  }

  /// What waits in memory.
  var member: MemberWriter? {
    if case .gzip(let member) = self { member } else { nil }
  }

  /// Writes what stands in front of all entries: of a compressed file, a member of its own, be it empty.
  func write(header: [UInt8], to file: EntryFile) throws(SystemError) {
    switch self {
    case .plain:
      guard !header.isEmpty else { return }
      let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: header.count, alignment: 1)
      defer { unsafe bytes.deallocate() }
      unsafe bytes.copyBytes(from: header)
      unsafe try file.append(UnsafeRawBufferPointer(bytes))
    case .gzip(let member): try member.write(header: header, to: file)
    }
  }
}
