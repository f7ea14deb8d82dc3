import Glibc
import Platform

/// The permissions and the owner of a file.
public struct FileAttributes: Sendable, Equatable {
  /// The permissions; those that the umask leaves, if nil.
  public var mode: UInt32?
  /// The number of the user who owns the file; the process's user, if nil.
  public var owner: UInt32?
  /// The number of the group; the one that new files get, if nil.
  public var group: UInt32?

  /// The system's defaults.
  public init() {}

  /// The attributes of a file.
  init(_ status: stat) {
    mode = status.st_mode & 0o7777
    owner = status.st_uid
    group = status.st_gid
  }

  var isEmpty: Bool { self == FileAttributes() }

  /// These attributes, and those of another file where these have none.
  func completed(by other: FileAttributes?) -> FileAttributes {
    var result = self
    result.mode = mode ?? other?.mode
    result.owner = owner ?? other?.owner
    result.group = group ?? other?.group
    return result
  }

  /// The permissions of a directory: users who can read its files can enter it.
  var directoryMode: UInt32? { mode.map { ($0 | ($0 & 0o444) >> 2 | 0o300) & 0o777 } }

  /// Sets the attributes of an open file, where they differ.
  ///
  /// If the group can't be set, the group that the file has loses its permissions, as they were meant for
  /// another group.
  /// - Throws: `Errno` of the step that failed; the other steps were done.
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
