import Glibc
import Platform

/// Decides whether another user may have put something into a spool's directory.
///
/// Entries found there are sent on as this program's own once their checksum is right, and any user can
/// compute that. So nothing is taken from a directory or a file that another user could have written.
enum SpoolOwnership {
  /// Makes a directory; an existing one must be writable only by this user and by root.
  static func makeDirectory(_ path: String, _ system: SystemCalls) throws(SystemError) {
    do {
      try system.makeDirectory(path)
    } catch {
      throw SystemError(operation: "mkdir", path: path, errno: error)
    }
    let status: stat
    do {
      let descriptor = try system.open(path, O_RDONLY | O_DIRECTORY)
      defer { try? system.close(descriptor) }
      status = try system.status(descriptor)
    } catch {
      throw SystemError(operation: "open", path: path, errno: error)
    }
    if let problem = problem(status) {
      throw SystemError(
        operation: "spool", path: path,
        problem: "\(problem); what others put there would be sent on as this program's own")
    }
  }

  /// The reason to refuse a file: it may be another user's, or have a second name elsewhere.
  static func problem(ofFile status: stat) -> String? {
    guard status.isRegular else { return "is no regular file" }
    // If another user had made a link to one of our own files elsewhere, that file would be written to.
    guard status.st_nlink == 1 else { return "has \(status.st_nlink) names" }
    return problem(status)
  }

  private static func problem(_ status: stat) -> String? {
    guard status.st_uid == geteuid() || status.st_uid == 0 else {
      return "belongs to user \(status.st_uid), and this is user \(geteuid())"
    }
    guard status.st_mode & 0o022 == 0 else {
      let mode = String(status.st_mode & 0o7777, radix: 8)
      return "can be written by others (mode \(mode); chmod go-w changes that)"
    }
    return nil
  }
}
