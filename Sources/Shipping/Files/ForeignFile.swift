import Compression
import Glibc
import Platform

/// Kinds of files that an output finds under its file's name and that aren't its own; each is the end of the
/// name under which such a file is put aside.
enum ForeignKind: String, CaseIterable, Sendable {
  case link, fifo, socket, device
  /// A file with a second name, which another process may have made to have the other file written to.
  case hardLink = "hard-link"
  /// A file of another user in a world-writable directory.
  case otherOwner = "other-owner"
  case notGzip = "not-gzip"
  case notZstd = "not-zstd"
  case isGzip = "is-gzip"
  case isZstd = "is-zstd"
  case notLines = "not-lines"
  case notVSL = "not-vsl"
  /// The file's end is damaged as no kill of this program damages it.
  case damaged

  /// The kind of a file that isn't compressed in the format that it should be.
  static func notCompressed(_ format: CompressionFormat) -> ForeignKind {
    switch format {
    case .gzip: .notGzip
    case .zstd: .notZstd
    }
  }

  /// The kind of a file that is compressed but should be plain.
  static func compressed(_ format: CompressionFormat) -> ForeignKind {
    switch format {
    case .gzip: .isGzip
    case .zstd: .isZstd
    }
  }

  /// The kind in the words of a message.
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

/// Decides whether a file with the name of an output file may be written to.
///
/// In a directory where others can make files, another user may have prepared one under the next name: a link
/// or a second name for a file that only this process can write, or a file of that user, who would like to
/// read the log.
struct FileTrust {
  let system: SystemCalls

  /// Whether all users can make files in the directory of a path.
  func isPublic(directoryOf path: String) -> Bool {
    system.status(ofPath: FileNaming.directory(of: path)).map { $0.st_mode & S_IWOTH != 0 } ?? false
  }

  /// Whether a file or link in a public directory was made by root or by this process's user.
  func isTrusted(owner: uid_t) -> Bool { owner == 0 || owner == geteuid() }

  /// The reason why a path must not be written to; nil if there is none.
  /// - Parameters:
  ///   - isMarked: whether the file's mark says that this output has made it.
  ///   - heir: the owner of the output's file before this one.
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
