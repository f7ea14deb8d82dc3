import Platform

/// Which files were read, so that a process that limits itself can leave itself the reading of them.
final class FilesRead: Sendable {
  private let found = Guarded<[String]>([])

  /// Notes a file; of a directory, the path ends with a slash.
  func note(_ path: String) {
    guard path.hasPrefix("/"), let slash = path.lastIndex(of: "/") else { return }
    let directory = slash == path.startIndex ? "/" : String(path[..<slash])
    found.withLock { if !$0.contains(directory) { $0.append(directory) } }
  }

  /// The directories that they are in: editors write another file and give it the name.
  var directories: [String] { found.withLock { $0.sorted() } }
}
