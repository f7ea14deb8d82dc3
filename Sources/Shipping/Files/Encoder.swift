import Platform
import Spool

/// How entries become the bytes of a file.
enum Encoder {
  /// As they are.
  case plain
  /// In gzip members or zstd frames, each of which waits in memory until it is complete.
  case compressed(MemberWriter)

  /// Makes the encoder that the options ask for.
  /// - Parameter path: the path of the file, for messages.
  init(_ options: FileOptions, path: String) throws(SystemError) {
    guard let method = options.compression else {
      self = .plain
      return
    }
    self = .compressed(
      try MemberWriter(
        method, path: path, unsettled: options.keepsUnsettled ? UnsettledEntries() : nil))
  }

  /// The member that collects entries in memory; nil if entries are written as they are.
  var member: MemberWriter? {
    if case .compressed(let member) = self { member } else { nil }
  }

  /// Writes the header in front of all entries; in a compressed file it is a member of its own, even if it is
  /// empty.
  func write(header: [UInt8], to file: EntryFile) throws(SystemError) {
    switch self {
    case .plain:
      if !header.isEmpty { try file.append(header) }
    case .compressed(let member): try member.write(header: header, to: file)
    }
  }
}
