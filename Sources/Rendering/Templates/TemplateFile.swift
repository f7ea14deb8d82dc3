import Glibc
import Platform
import SharedMemory

/// Template files on the disk.
enum TemplateFile {
  /// The suffix of template files.
  static let suffix = ".format"

  /// Reads a template file by its path.
  static func read(_ path: String, name: String) throws(TemplateError) -> Template {
    let source: [UInt8]
    do {
      source = try contents(path)
    } catch {
      throw TemplateError(place: path, reason: .unreadable(error.reason + error.explanation))
    }
    return try Template(parsing: source, name: name, origin: .file(path))
  }

  /// A file's bytes, or enough of them to see that they are too many.
  ///
  /// Pipes can be read, too.
  private static func contents(_ path: String) throws(SystemError) -> [UInt8] {
    let file = try ReadOnlyFile(path: path)
    var bytes: [UInt8] = []
    while bytes.count <= Template.byteCountMax {
      let chunk = unsafe try [UInt8](unsafeUninitializedCapacity: 16 << 10) {
        (buffer, count) throws(SystemError) in
        count = unsafe try file.read(into: UnsafeMutableRawBufferPointer(buffer))
      }
      if chunk.isEmpty { break }
      bytes += chunk
    }
    return bytes
  }

  /// The names of the templates in a directory, in order; none if there is no such directory.
  static func names(in directory: String) throws(TemplateError) -> [String] {
    guard let stream = unsafe opendir(directory) else {
      if errno == ENOENT || errno == ENOTDIR { return [] }
      let error = SystemError(operation: "open", path: directory)
      throw TemplateError(place: directory, reason: .unreadable(error.reason + error.explanation))
    }
    defer { unsafe closedir(stream) }
    var names: [String] = []
    while let entry = unsafe readdir(stream) {
      let file = unsafe withUnsafePointer(to: &entry.pointee.d_name) { pointer in
        unsafe pointer.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
      }
      let name = String(file.dropLast(suffix.count))
      if file.hasSuffix(suffix), isName(name) { names.append(name) }
    }
    return names.sorted()
  }

  /// Whether a template may have this name: no dot in front, no blanks, control characters or slashes.
  static func isName(_ name: String) -> Bool {
    guard let first = name.utf8.first, first != UInt8(ascii: ".") else { return false }
    return name.utf8.allSatisfy { $0 > 0x20 && $0 != 0x7F && $0 != UInt8(ascii: "/") }
  }

  /// Whether a file can be opened without waiting for a writer: it isn't a pipe.
  ///
  /// Opening a missing file doesn't wait either, and reports why it fails.
  static func isOrdinary(_ path: String) -> Bool {
    var status = stat()
    return unsafe stat(path, &status) != 0 || status.st_mode & S_IFMT == S_IFREG
  }

  /// Whether there is a file of this name.
  static func exists(_ path: String) -> Bool {
    var status = stat()
    return unsafe lstat(path, &status) == 0
  }
}
