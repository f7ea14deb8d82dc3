import CShims
import SharedMemory

/// How a section of counters, or a description, begins since 6.0 (`shm-layout.md` 8.1).
struct DescribedSection {
  /// The number that counters and their description have in common.
  let number: UInt64
  /// The bytes behind the head.
  let body: Range<Int>

  /// The head's size.
  static let headByteCount = 24
  private static let bodyOffset = 8, numberOffset = 16
  /// The first word's value while the section is complete and in use.
  private static let ready: UInt32 = 1

  /// Reads the head of a section; nil if its server hasn't finished it, or has given it up, or if it makes no sense.
  init?(_ mapping: borrowing ReadOnlyMapping, _ section: Range<Int>) {
    guard Self.isReady(mapping, section), let offset = mapping.counter(at: Self.bodyOffset, in: section),
      let number = mapping.counter(at: Self.numberOffset, in: section),
      offset >= UInt64(Self.headByteCount), offset <= UInt64(section.count)
    else { return nil }
    self.number = number
    body = section.dropFirst(Int(offset))
  }

  /// Whether the section is complete and in use, to be asked before it is read and again afterwards.
  static func isReady(_ mapping: borrowing ReadOnlyMapping, _ section: Range<Int>) -> Bool {
    mapping.word(at: 0, in: section) == ready
  }

  /// Whether a section is still what it was when its head was read.
  func holds(_ mapping: borrowing ReadOnlyMapping, _ section: Range<Int>) -> Bool {
    shim_fence_acquire()
    return DescribedSection(mapping, section)?.number == number
  }
}
