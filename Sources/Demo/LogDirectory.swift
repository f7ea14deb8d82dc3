import Glibc
import Platform

/// The directory of the log, which is removed at the end if the demonstration made it.
struct LogDirectory {
  let path: String
  /// Whether the directory existed before.
  private let isOthers: Bool

  /// Takes the given directory, or makes a new one.
  init(_ wanted: String?) throws(DemoError) {
    if let wanted {
      path = wanted
      isOthers = unsafe mkdir(wanted, 0o755) != 0
      // If the directory can't be used, the writer reports it.
      return
    }
    let parent = unsafe getenv("TMPDIR").map { unsafe String(cString: $0) } ?? "/tmp"
    var template = Array("\(parent)/spillway-demo.XXXXXX".utf8CString)
    guard unsafe mkdtemp(&template) != nil else {
      throw .system(SystemError(operation: "make a directory", path: parent))
    }
    path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    isOthers = false
  }

  /// Removes what is left after the log was closed: the lock file against other writers, and the directory if
  /// it was made for the demonstration and is empty.
  func remove() {
    guard !isOthers else { return }
    unsafe unlink(path + "/_.pid")
    unsafe rmdir(path)
  }
}
