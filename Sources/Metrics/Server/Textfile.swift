import Glibc
import Platform
import Shipping

/// A file that always holds a complete set of metrics, for the textfile collector of node_exporter.
struct Textfile: Sendable {
  let path: String
  let system: SystemCalls

  init(path: String, system: SystemCalls = .real) {
    self.path = path
    self.system = system
  }

  /// The file that is written and then renamed; collectors read only names that end in `.prom`.
  private var draft: String { path + ".new" }

  /// Replaces the file's contents, atomically for readers.
  ///
  /// The new contents aren't synced to disk first: after a power failure they aren't needed any more.
  func write(_ bytes: [UInt8]) throws(SystemError) {
    do throws(Errno) {
      let descriptor = try openDraft()
      do throws(Errno) {
        try system.writeFully(descriptor, bytes, at: 0)
      } catch {
        try? system.close(descriptor)
        try? system.unlink(draft)
        throw error
      }
      try system.close(descriptor)
      try system.rename(draft, replacing: path)
    } catch {
      throw SystemError(operation: "write", path: path, errno: error)
    }
  }

  /// Opens a new file; an existing file or link of that name is neither written to nor followed.
  private func openDraft() throws(Errno) -> Int32 {
    let flags = O_WRONLY | O_CREAT | O_EXCL
    do throws(Errno) {
      return try system.open(draft, flags, mode: 0o644)
    } catch .exists {
      // The file is left over from a process that was killed.
      try system.unlink(draft)
      return try system.open(draft, flags, mode: 0o644)
    }
  }
}
