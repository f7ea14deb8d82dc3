import Glibc
import Platform
import Shipping

/// A file that always holds metrics, whole: for the textfile collector of node_exporter.
struct Textfile: Sendable {
  let path: String
  let system: SystemCalls

  init(path: String, system: SystemCalls = .real) {
    self.path = path
    self.system = system
  }

  /// What is written until it takes the file's name; collectors read names that end in `.prom` alone.
  private var draft: String { path + ".new" }

  /// Replaces what is there, at once for those who read it.
  ///
  /// It isn't put on the disk first: after a power cut it isn't needed any more.
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

  /// Opens a new file; nothing that has the name is written into, or followed.
  private func openDraft() throws(Errno) -> Int32 {
    let flags = O_WRONLY | O_CREAT | O_EXCL
    do throws(Errno) {
      return try system.open(draft, flags, mode: 0o644)
    } catch .exists {
      // What a process that was killed has left.
      try system.unlink(draft)
      return try system.open(draft, flags, mode: 0o644)
    }
  }
}
