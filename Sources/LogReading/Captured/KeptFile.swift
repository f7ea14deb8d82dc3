import CShims
import Glibc
import Platform
import SharedMemory

/// A file without a name that keeps what was decoded, as long as it is open.
///
/// It is on a disk where it can be, and else in memory.
struct KeptFile: ~Copyable {
  private let descriptor: Int32
  /// How many bytes are in it.
  private(set) var byteCount = 0

  /// Makes an empty one.
  ///
  /// - Parameter path: what it keeps, for messages.
  /// - Throws: `LogError.readFailed` if there is no place for one.
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

  /// The file, to be read and mapped; it stays when this is gone.
  func opened() throws(LogError) -> ReadOnlyFile {
    do {
      return try ReadOnlyFile(path: "/proc/self/fd/\(descriptor)")
    } catch {
      throw .cannotOpen(error)
    }
  }

  /// Adds bytes.
  ///
  /// - Throws: `LogError.readFailed` if there is no room.
  mutating func append(_ bytes: UnsafeRawBufferPointer, of path: String) throws(LogError) {
    var rest = unsafe bytes
    while unsafe !rest.isEmpty {
      let count = retryingOnInterrupt { unsafe write(descriptor, rest.baseAddress, rest.count) }
      guard count > 0 else { throw Self.failure(path) }
      unsafe rest = UnsafeRawBufferPointer(rebasing: rest[count...])
      byteCount += count
    }
  }

  /// Has the next bytes begin where a file's first byte could be mapped.
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
