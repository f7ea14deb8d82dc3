import Glibc
import Synchronization

/// A file that a test writes through a mapping, as a server writes its shared memory.
public final class MappedFile: @unchecked Sendable {
  /// The address of the mapping.
  public let base: UnsafeMutableRawPointer
  /// Its size.
  public let byteCount: Int
  /// The name that the file has once it is published.
  public let path: String
  private let temporary: String

  /// Makes a file of zeros under a temporary name; `publish` gives it its own.
  public init(path: String, byteCount: Int) throws(SupportError) {
    self.path = path
    self.byteCount = byteCount
    temporary = "\(path).\(getpid())"
    unlink(temporary)
    let descriptor = open(temporary, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o640)
    guard descriptor >= 0 else { throw SupportError("make \(temporary)", errno: errno) }
    defer { close(descriptor) }
    guard ftruncate(descriptor, off_t(byteCount)) == 0 else {
      throw SupportError("size \(temporary)", errno: errno)
    }
    let map = mmap(nil, byteCount, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0)
    guard let map, map != MAP_FAILED else { throw SupportError("map \(temporary)", errno: errno) }
    base = map
  }

  deinit { munmap(base, byteCount) }

  /// Gives the file its name, replacing the file that had it.
  public func publish() throws(SupportError) {
    guard rename(temporary, path) == 0 else { throw SupportError("rename \(temporary)", errno: errno) }
  }

  /// Stores a word atomically, with release ordering: a reader that sees the word sees all that was stored
  /// before.
  public func store(_ word: UInt32, at offset: Int) {
    precondition(offset >= 0 && offset + 4 <= byteCount && offset % 4 == 0)
    (base + offset).assumingMemoryBound(to: Atomic<UInt32>.self).pointee.store(word, ordering: .releasing)
  }

  /// Stores two words in the same way.
  public func store(_ words: UInt64, at offset: Int) {
    precondition(offset >= 0 && offset + 8 <= byteCount && offset % 8 == 0)
    (base + offset).assumingMemoryBound(to: Atomic<UInt64>.self).pointee.store(words, ordering: .releasing)
  }

  /// Stores bytes, in any order.
  public func store(_ bytes: [UInt8], at offset: Int) {
    precondition(offset >= 0 && offset + bytes.count <= byteCount)
    (base + offset).copyMemory(from: bytes, byteCount: bytes.count)
  }

  /// Stores a text, padded with zeros.
  public func store(_ text: String, at offset: Int, room: Int) {
    let bytes = Array(text.utf8.prefix(room - 1))
    store(bytes + [UInt8](repeating: 0, count: room - bytes.count), at: offset)
  }

  /// Reads a word.
  public func word(at offset: Int) -> UInt32 {
    precondition(offset >= 0 && offset + 4 <= byteCount)
    return base.loadUnaligned(fromByteOffset: offset, as: UInt32.self)
  }
}
