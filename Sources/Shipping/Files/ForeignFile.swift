import Compression
import Glibc
import Platform

/// What is found where an output wants to write and isn't a file of its own; the end of the name under which it
/// is put aside.
enum ForeignKind: String, CaseIterable, Sendable {
  case link, fifo, socket, device
  /// A file that has another name as well, which another process may have given it to have that one written to.
  case hardLink = "hard-link"
  /// A file of another user in a directory where everybody can make files.
  case otherOwner = "other-owner"
  case notGzip = "not-gzip"
  case notZstd = "not-zstd"
  case isGzip = "is-gzip"
  case isZstd = "is-zstd"
  case notLines = "not-lines"
  case notVSL = "not-vsl"
  /// It ends in something that no kill of this program leaves.
  case damaged

  /// A file that isn't compressed in the format that it should be.
  static func notCompressed(_ format: CompressionFormat) -> ForeignKind {
    switch format {
    case .gzip: .notGzip
    case .zstd: .notZstd
    }
  }

  /// A file that is compressed, where it should be as it is.
  static func compressed(_ format: CompressionFormat) -> ForeignKind {
    switch format {
    case .gzip: .isGzip
    case .zstd: .isZstd
    }
  }

  /// What a message says of it.
  var words: String {
    switch self {
    case .link: "a symbolic link"
    case .fifo: "a named pipe"
    case .socket: "a socket"
    case .device: "a device"
    case .hardLink: "a file with other names, too"
    case .otherOwner: "a file of another user in a directory that everybody can write"
    case .notGzip: "not a gzip file"
    case .notZstd: "not a zstd file"
    case .isGzip: "a gzip file, where text is to be appended"
    case .isZstd: "a zstd file, where text is to be appended"
    case .notLines: "not a file of lines"
    case .notVSL: "not a VSL file"
    case .damaged: "damaged, by something else than a kill of this program"
    }
  }
}

/// Decides whether what has the name of an output file may be written to.
///
/// Where others can make files, one may wait under the next name: a link or a second name for something that
/// only this process can write, or a file whose owner would like to read along.
struct FileTrust {
  let system: SystemCalls

  /// Whether everybody can make files in the directory of a path.
  func isPublic(directoryOf path: String) -> Bool {
    system.status(ofPath: FileNaming.directory(of: path)).map { $0.st_mode & S_IWOTH != 0 } ?? false
  }

  /// Whether a link, or anything else that was found in a public directory, was made by another process to be trusted.
  func isTrusted(owner: uid_t) -> Bool { owner == 0 || owner == geteuid() }

  /// What keeps a path from being written to; nil if nothing does.
  /// - Parameters:
  ///   - isMarked: whether the file says that it is this output's.
  ///   - heir: who owns the file before it.
  func obstacle(_ path: String, _ status: stat, isMarked: Bool, heir: uid_t?) -> ForeignKind? {
    switch status.st_mode & S_IFMT {
    case S_IFREG: break
    case S_IFLNK: return .link
    case S_IFIFO: return .fifo
    case S_IFSOCK: return .socket
    default: return .device
    }
    guard !isMarked, let directory = system.status(ofPath: FileNaming.directory(of: path)) else { return nil }
    let isPrivate = directory.st_mode & (S_IWGRP | S_IWOTH) == 0 && isTrusted(owner: directory.st_uid)
    if status.st_nlink > 1, !isPrivate { return .hardLink }
    let isForeign =
      directory.st_mode & S_IWOTH != 0 && !isTrusted(owner: status.st_uid)
      && status.st_uid != directory.st_uid && status.st_uid != heir
    return isForeign ? .otherOwner : nil
  }
}
