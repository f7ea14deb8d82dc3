import Platform

/// Notes which files were read, so that a process that sandboxes itself can keep read access to them.
final class FilesRead: Sendable {
  private let found = Guarded<[String]>([])

  /// Notes a file, or a directory if the path ends with a slash.
  func note(_ path: String) {
    guard path.hasPrefix("/"), let slash = path.lastIndex(of: "/") else { return }
    let directory = slash == path.startIndex ? "/" : String(path[..<slash])
    found.withLock { if !$0.contains(directory) { $0.append(directory) } }
  }

  /// The directories of the files, and not the files: an editor replaces a file by a new one of the same name.
  var directories: [String] { found.withLock { $0.sorted() } }
}
