import Glibc
import Synchronization

/// A file that a test writes through memory, as a server writes the one that it shares.
public final class MappedFile: @unchecked Sendable {
  /// Where the file lies in memory.
  public let base: UnsafeMutableRawPointer
  /// Its size.
  public let byteCount: Int
  /// The name that it gets.
  public let path: String
  private let temporary: String

  /// Makes a file of zeros beside its name, which it gets from `publish`.
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

  /// Puts the file in the place of what had its name.
  public func publish() throws(SupportError) {
    guard rename(temporary, path) == 0 else { throw SupportError("rename \(temporary)", errno: errno) }
  }

  /// Stores a word in one piece, so that who sees it sees all that was stored before.
  public func store(_ word: UInt32, at offset: Int) {
    precondition(offset >= 0 && offset + 4 <= byteCount && offset % 4 == 0)
    (base + offset).assumingMemoryBound(to: Atomic<UInt32>.self).pointee.store(word, ordering: .releasing)
  }

  /// The same with two words.
  public func store(_ words: UInt64, at offset: Int) {
    precondition(offset >= 0 && offset + 8 <= byteCount && offset % 8 == 0)
    (base + offset).assumingMemoryBound(to: Atomic<UInt64>.self).pointee.store(words, ordering: .releasing)
  }

  /// Stores bytes, in any order.
  public func store(_ bytes: [UInt8], at offset: Int) {
    precondition(offset >= 0 && offset + bytes.count <= byteCount)
    (base + offset).copyMemory(from: bytes, byteCount: bytes.count)
  }

  /// Stores a text, filled up with zeros.
  public func store(_ text: String, at offset: Int, room: Int) {
    let bytes = Array(text.utf8.prefix(room - 1))
    store(bytes + [UInt8](repeating: 0, count: room - bytes.count), at: offset)
  }

  /// A word as it is.
  public func word(at offset: Int) -> UInt32 {
    precondition(offset >= 0 && offset + 4 <= byteCount)
    return base.loadUnaligned(fromByteOffset: offset, as: UInt32.self)
  }
}
