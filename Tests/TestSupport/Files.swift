import Glibc

/// The bytes of a file.
public func readFile(_ path: String) throws(SupportError) -> [UInt8] {
  let descriptor = retryingInterrupts { open(path, O_RDONLY | O_CLOEXEC) }
  guard descriptor >= 0 else { throw SupportError("open \(path)", errno: errno) }
  defer { close(descriptor) }
  var bytes: [UInt8] = []
  var chunk = [UInt8](repeating: 0, count: 1 << 16)
  while true {
    let count = retryingInterrupts { read(descriptor, &chunk, chunk.count) }
    guard count >= 0 else { throw SupportError("read \(path)", errno: errno) }
    if count == 0 { return bytes }
    bytes += chunk[..<count]
  }
}

/// Reads files of a directory while a program renames and deletes them, as if at one moment.
///
/// All of them are read again if, after the last one, a file has got another name or has gone, or a new one
/// is there.
///
/// - Parameters:
///   - directory: the directory of the files.
///   - isWanted: whether a file of a name is to be read.
///   - read: reads the file at a path.
/// - Throws: What `read` throws though nothing has changed, or an error if the files still change after 30
///   seconds.
public func readTogether<Content>(
  _ directory: String, where isWanted: (String) -> Bool,
  _ read: (_ path: String) throws(SupportError) -> Content
) throws(SupportError) -> [(name: String, content: Content)] {
  func look() -> [String: ino_t] {
    var found: [String: ino_t] = [:]
    for name in directoryEntries(directory) where isWanted(name) {
      var status = stat()
      // A file that is gone already is left out; a file that has come since is found by the next look.
      if lstat("\(directory)/\(name)", &status) == 0 { found[name] = status.st_ino }
    }
    return found
  }
  let deadline = Deadline.after(.seconds(30))
  while true {
    let before = look()
    var contents: [(name: String, content: Content)] = []
    var failure: SupportError?
    do throws(SupportError) {
      for name in before.keys.sorted() { contents.append((name, try read("\(directory)/\(name)"))) }
    } catch {
      failure = error
    }
    let hasChanged = look() != before
    if !hasChanged {
      if let failure { throw failure }
      return contents
    }
    if deadline.hasPassed { throw failure ?? SupportError("\(directory): changes all the time") }
  }
}

/// The text of a file; what is not UTF-8 is replaced.
public func readText(_ path: String) throws(SupportError) -> String {
  String(decoding: try readFile(path), as: UTF8.self)
}

/// Makes or replaces a file.
public func writeFile(_ path: String, _ bytes: some Sequence<UInt8>) throws(SupportError) {
  let flags = O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC
  let descriptor = retryingInterrupts { open(path, flags, 0o644) }
  guard descriptor >= 0 else { throw SupportError("open \(path) for writing", errno: errno) }
  defer { close(descriptor) }
  try writeAll(Array(bytes), to: descriptor, named: path)
}

/// Writes all of `bytes`, in as many calls as that takes.
func writeAll(_ bytes: [UInt8], to descriptor: Int32, named name: String) throws(SupportError) {
  var offset = 0
  while offset < bytes.count {
    let count = bytes.withUnsafeBytes { buffer in
      let rest = UnsafeRawBufferPointer(rebasing: buffer[offset...])
      return retryingInterrupts { write(descriptor, rest.baseAddress, rest.count) }
    }
    guard count >= 0 else { throw SupportError("write \(name)", errno: errno) }
    offset += count
  }
}

/// Whether `path` is a regular file that this user may execute.
public func isExecutableFile(_ path: String) -> Bool {
  var status = stat()
  return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG && access(path, X_OK) == 0
}

/// The executable that a shell would run for `name`: a path, or a name looked up in `$PATH` and in
/// the directories of system programs.
public func findExecutable(_ name: String) -> String? {
  if name.contains("/") { return isExecutableFile(name) ? name : nil }
  let path = getenv("PATH").map { String(cString: $0) } ?? ""
  let directories = path.split(separator: ":").map(String.init) + ["/usr/sbin", "/sbin"]
  return directories.lazy.map { "\($0)/\(name)" }.first(where: isExecutableFile)
}
