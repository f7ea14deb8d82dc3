import Glibc

/// Two pages of memory between two inaccessible ones.
///
/// Code that reads text in large pieces may read bytes beside it, but must never read into another page.
public final class GuardedPage {
  /// Where a text lies.
  public enum Place: Sendable {
    /// This many bytes after the beginning of the first page, in front of which nothing can be read.
    case start(Int)
    /// This many bytes of the text in the first page, and the others in the second.
    case across(Int)
    /// At the end of the second page, behind which nothing can be read.
    case end
  }

  private let mapping: UnsafeMutableRawPointer
  private let pageSize = Int(sysconf(Int32(_SC_PAGESIZE)))

  /// Maps the pages.
  public init() {
    mapping = mmap(nil, 4 * pageSize, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
    precondition(
      mapping != MAP_FAILED && mprotect(mapping + pageSize, 2 * pageSize, PROT_READ | PROT_WRITE) == 0)
    // Filled with letters, which no code under test may take for a part of the text.
    for index in 0..<2 * pageSize {
      mapping.storeBytes(of: 0x41, toByteOffset: pageSize + index, as: UInt8.self)
    }
  }

  deinit { munmap(mapping, 4 * pageSize) }

  /// Places for a text of `count` bytes, among them the outermost.
  public static func places(for count: Int, using random: inout some RandomNumberGenerator) -> [Place] {
    [.start(0), .start(Int.random(in: 1...64, using: &random)), .end]
      + (0..<3).map { _ in .across(Int.random(in: 0...count, using: &random)) }
  }

  /// Puts a text at a place, and returns its address.
  public func lay(_ text: [UInt8], at place: Place) -> UnsafeMutableRawPointer {
    let target =
      switch place {
      case .start(let offset): mapping + pageSize + offset
      case .across(let count): mapping + 2 * pageSize - count
      case .end: mapping + 3 * pageSize - text.count
      }
    text.withUnsafeBytes {
      target.copyMemory(from: $0.baseAddress ?? UnsafeRawPointer(target), byteCount: $0.count)
    }
    return target
  }
}
