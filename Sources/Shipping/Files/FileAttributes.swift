import Glibc
import Platform

/// Who may read and write a file.
public struct FileAttributes: Sendable, Equatable {
  /// The permissions; those that the umask leaves, if nil.
  public var mode: UInt32?
  /// The number of the user whose file it is; that of the process, if nil.
  public var owner: UInt32?
  /// The number of the group; the usual one, if nil.
  public var group: UInt32?

  /// As the system has it.
  public init() {}

  /// What a file has.
  init(_ status: stat) {
    mode = status.st_mode & 0o7777
    owner = status.st_uid
    group = status.st_gid
  }

  var isEmpty: Bool { self == FileAttributes() }

  /// These, and what is missing from others.
  func completed(by other: FileAttributes?) -> FileAttributes {
    var result = self
    result.mode = mode ?? other?.mode
    result.owner = owner ?? other?.owner
    result.group = group ?? other?.group
    return result
  }

  /// The permissions of a directory: it can be entered by those who can read its files.
  var directoryMode: UInt32? { mode.map { ($0 | ($0 & 0o444) >> 2 | 0o300) & 0o777 } }

  /// Gives them to an open file that may lack them.
  ///
  /// Where the group can't be given, the one that the file has gets no permissions instead: they were meant for
  /// another.
  /// - Throws: `Errno` of what failed; the rest is done.
  func apply(to descriptor: Int32, _ system: SystemCalls) throws(Errno) {
    let status = try system.status(descriptor)
    var failure: Errno?
    var mode = self.mode
    if let group, group != status.st_gid {
      do { try system.setOwner(descriptor, nil, group) } catch {
        failure = error
        mode = (mode ?? status.st_mode & 0o7777) & ~0o070
      }
    }
    if let owner, owner != status.st_uid {
      do { try system.setOwner(descriptor, owner, nil) } catch { failure = error }
    }
    if let mode, mode != status.st_mode & 0o7777 || owner != nil || group != nil {
      do { try system.setMode(descriptor, mode) } catch { failure = failure ?? error }
    }
    if let failure { throw failure }
  }
}
