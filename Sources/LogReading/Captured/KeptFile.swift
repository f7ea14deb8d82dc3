import CShims
import Glibc
import Platform
import SharedMemory

/// A temporary file without a name, for decoded bytes; it is gone when it is closed.
///
/// It is on disk if a directory for temporary files can take it, else in memory.
struct KeptFile: ~Copyable {
  private let descriptor: Int32
  /// How many bytes the file has.
  private(set) var byteCount = 0

  /// Makes an empty file.
  ///
  /// - Parameter path: the name, in messages, of what the file keeps.
  /// - Throws: `LogError.unclear` if the file can't be made.
  init(for path: String) throws(LogError) {
    var descriptor: Int32 = -1
    for directory in [InstanceName.variable("TMPDIR"), "/var/tmp", "/tmp"].compactMap({ $0 })
    where descriptor < 0 {
      descriptor = unsafe shim_nameless_file(directory)
    }
    if descriptor < 0 { descriptor = unsafe shim_anonymous_file("spillway") }
    guard descriptor >= 0 else { throw Self.failure(path) }
    self.descriptor = descriptor
  }

  deinit { close(descriptor) }

  /// The file, opened for reading and mapping; it outlives this value.
  func opened() throws(LogError) -> ReadOnlyFile {
    do {
      return try ReadOnlyFile(path: "/proc/self/fd/\(descriptor)")
    } catch {
      throw .cannotOpen(error)
    }
  }

  /// Adds bytes.
  ///
  /// - Throws: `LogError.unclear` if they can't be written, as when the disk is full.
  mutating func append(_ bytes: UnsafeRawBufferPointer, of path: String) throws(LogError) {
    var rest = unsafe bytes
    while unsafe !rest.isEmpty {
      let count = retryingOnInterrupt { unsafe write(descriptor, rest.baseAddress, rest.count) }
      guard count > 0 else { throw Self.failure(path) }
      unsafe rest = UnsafeRawBufferPointer(rebasing: rest[count...])
      byteCount += count
    }
  }

  /// Fills the file up with zeros, so that what is added next is aligned as it was in its archive.
  mutating func align(for path: String) throws(LogError) {
    let rest = byteCount % TarHeader.byteCount
    guard rest > 0 else { return }
    let zeros = UnsafeMutableRawBufferPointer.allocate(byteCount: TarHeader.byteCount - rest, alignment: 1)
    defer { unsafe zeros.deallocate() }
    unsafe zeros.initializeMemory(as: UInt8.self, repeating: 0)
    unsafe try append(UnsafeRawBufferPointer(zeros), of: path)
  }

  private static func failure(_ path: String) -> LogError {
    let error = SystemError(operation: "write", path: path)
    return .unclear(path: path, problem: "what is decoded can't be kept: \(error.reason)")
  }
}
