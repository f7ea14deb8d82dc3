import Glibc

/// A new directory that is removed with all its contents when the last reference goes.
public final class TemporaryDirectory: Sendable {
  /// Its absolute path, without a slash at the end.
  public let path: String

  /// Makes the directory under `$TMPDIR` or `/tmp`, or under `parent`.
  public init(under parent: String? = nil) throws(SupportError) {
    let base = parent ?? getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
    var template = Array("\(base)/spillway-test.XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else {
      throw SupportError("make a directory like \(base)/spillway-test.XXXXXX", errno: errno)
    }
    path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  deinit { removeTree(path) }

  /// The path of an entry in it, whether it exists or not.
  public func file(_ name: String) -> String { "\(path)/\(name)" }
}

/// Removes a file, or a directory with all its contents; whatever cannot be removed stays.
func removeTree(_ path: String) {
  if unlink(path) == 0 { return }
  for name in directoryEntries(path) { removeTree("\(path)/\(name)") }
  rmdir(path)
}

/// The names in a directory, sorted, without `.` and `..`; empty if it cannot be read.
public func directoryEntries(_ path: String) -> [String] {
  guard let stream = opendir(path) else { return [] }
  defer { closedir(stream) }
  var names: [String] = []
  while let entry = readdir(stream) {
    let name = withUnsafePointer(to: &entry.pointee.d_name) { tuple in
      String(cString: UnsafeRawPointer(tuple).assumingMemoryBound(to: CChar.self))
    }
    if name != "." && name != ".." { names.append(name) }
  }
  return names.sorted()
}
