import Glibc
import Platform

/// The directory that the log is in, and that nothing is left of at the end.
struct LogDirectory {
  let path: String
  /// Whether it was there before.
  private let isOthers: Bool

  /// Takes the directory that was asked for, or makes a new one.
  init(_ wanted: String?) throws(DemoError) {
    if let wanted {
      path = wanted
      isOthers = unsafe mkdir(wanted, 0o755) != 0
      // What it can't be used for, the writer will say.
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

  /// Removes what the log's end has left: the file that keeps other writers away, and the directory if it was
  /// made for this and is empty.
  func remove() {
    guard !isOthers else { return }
    unsafe unlink(path + "/_.pid")
    unsafe rmdir(path)
  }
}
