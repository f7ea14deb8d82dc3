import Glibc
@testable import Platform
@testable import Shipping

/// A directory of a test's own, removed with the files in it.
final class TemporaryDirectory: Sendable {
  let path: String
  private let isOwn: Bool

  /// - Parameter isInMemory: whether the directory is in memory, if there is a file system for that: for
  ///   tests that make many files and don't depend on a disk.
  init(isInMemory: Bool = false) {
    let parent = isInMemory && access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp"
    var template = Array("\(parent)/spillway-shipping-XXXXXX".utf8CString)
    isOwn = true
    path = mkdtemp(&template).map { String(cString: $0) } ?? "/nonexistent"
  }

  /// A directory of another process, which removes it.
  init(of path: String) { (self.path, isOwn) = (path, false) }

  deinit {
    guard isOwn else { return }
    for name in names { unlink(file(name)) }
    rmdir(path)
  }

  func file(_ name: String) -> String { path + "/" + name }

  /// The names in it, sorted.
  var names: [String] {
    let names = (try? SystemCalls.real.names(inDirectory: path)) ?? []
    return names.filter { $0 != "." && $0 != ".." }.sorted()
  }

  func text(_ name: String) -> String { contents(fopen(file(name), "re")) { fclose($0) }.text }

  /// The contents of a compressed file, and whether it is valid to its end.
  func unzipped(_ name: String, _ program: String = "gzip") -> (text: String, isValid: Bool) {
    let (text, status) = shell("\(program) -dc < '\(file(name))' 2>/dev/null")
    return (text, status == 0)
  }

  func write(_ name: String, _ text: String) { write(name, Array(text.utf8)) }

  /// Makes a file with these bytes.
  func write(_ name: String, _ bytes: [UInt8]) {
    unlink(file(name))
    overwrite(name, bytes)
  }

  /// Replaces the contents of a file that other processes may have open.
  func overwrite(_ name: String, _ bytes: [UInt8]) {
    guard let file = fopen(file(name), "we") else { return }
    fwrite(bytes, 1, bytes.count, file)
    fclose(file)
  }

  /// Adds to a file.
  func extend(_ name: String, _ text: String) {
    guard let file = fopen(file(name), "ae") else { return }
    fputs(text, file)
    fclose(file)
  }

  func bytes(_ name: String) -> [UInt8] {
    guard let file = fopen(file(name), "re") else { return [] }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 65_536)
    while case let count = fread(&chunk, 1, chunk.count, file), count > 0 { bytes += chunk.prefix(count) }
    return bytes
  }
}

/// Runs a command line and waits for it.
func shell(_ command: String) -> (text: String, status: Int32) {
  contents(popen(command, "re")) { pclose($0) }
}

private func contents(
  _ file: UnsafeMutablePointer<FILE>?, _ close: (UnsafeMutablePointer<FILE>) -> Int32
) -> (text: String, status: Int32) {
  guard let file else { return ("", -1) }
  var bytes: [UInt8] = []
  var chunk = [UInt8](repeating: 0, count: 65_536)
  while true {
    let count = fread(&chunk, 1, chunk.count, file)
    if count == 0 {
      // A signal that another test sends interrupts a call, but doesn't end the text.
      guard ferror(file) != 0, errno == EINTR else { break }
      clearerr(file)
    }
    bytes += chunk.prefix(count)
  }
  return (String(decoding: bytes, as: UTF8.self), close(file))
}
