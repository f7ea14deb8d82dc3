import Platform
import Spool

/// How entries become the bytes of a file.
enum Encoder {
  /// As they are.
  case plain
  /// In gzip members or zstd frames, each of which waits in memory until it is complete.
  case compressed(MemberWriter)

  /// Makes the encoder that is asked for.
  /// - Parameter path: what is written, for messages.
  init(_ options: FileOptions, path: String) throws(SystemError) {
    guard let method = options.compression else {
      self = .plain
      return
    }
    self = .compressed(
      try MemberWriter(
        method, path: path, unsettled: options.keepsUnsettled ? UnsettledEntries() : nil))
  }

  /// What waits in memory.
  var member: MemberWriter? {
    if case .compressed(let member) = self { member } else { nil }
  }

  /// Writes what stands in front of all entries: of a compressed file, a member of its own, be it empty.
  func write(header: [UInt8], to file: EntryFile) throws(SystemError) {
    switch self {
    case .plain:
      if !header.isEmpty { try file.append(header) }
    case .compressed(let member): try member.write(header: header, to: file)
    }
  }
}
