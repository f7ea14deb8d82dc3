import CShims
import SharedMemory

/// Counters and their descriptions in a mapped file, which its server may change at any moment.
///
/// Sound because each place is checked to lie in the section, and the section in the mapping, before it is read.
extension ReadOnlyMapping {
  /// The bytes of a section; nil if the file doesn't have them all.
  func section(offset: Int, byteCount: Int) -> Range<Int>? {
    guard offset >= 0, byteCount >= 0, offset <= self.byteCount, byteCount <= self.byteCount - offset else {
      return nil
    }
    return offset..<offset + byteCount
  }

  /// A counter; nil if it doesn't lie in the section.
  func counter(at offset: Int, in section: Range<Int>) -> UInt64? {
    guard Self.holds(8, at: offset, in: section) else { return nil }
    let place = unsafe base + section.lowerBound + offset
    return switch UInt(bitPattern: place) % 8 {
    case 0: unsafe shim_load_acquire_u64(place)
    // In 3.0, a section begins wherever the one in front of it ends.
    case 4: unsafe Self.joined(place)
    default: unsafe place.loadUnaligned(as: UInt64.self)
    }
  }

  /// A counter of which one half may be stored before the other.
  private static func joined(_ place: UnsafeRawPointer) -> UInt64 {
    var high = unsafe shim_load_acquire_u32(place + 4)
    // A counter that passes a multiple of 2^32 twice in this time isn't one.
    for _ in 0..<4 {
      let low = unsafe shim_load_acquire_u32(place)
      let again = unsafe shim_load_acquire_u32(place + 4)
      if again == high { return UInt64(high) << 32 | UInt64(low) }
      high = again
    }
    return unsafe place.loadUnaligned(as: UInt64.self)
  }

  /// A word at a multiple of 4 in the section; nil if it doesn't lie there.
  func word(at offset: Int, in section: Range<Int>) -> UInt32? {
    guard Self.holds(4, at: offset, in: section) else { return nil }
    let place = unsafe base + section.lowerBound + offset
    guard UInt(bitPattern: place) % 4 == 0 else { return nil }
    return unsafe shim_load_acquire_u32(place)
  }

  /// A text that ends at a NUL, from a place in the section; nil if it doesn't end there, or is too long.
  func text(at offset: Int, in section: Range<Int>, byteCountMax: Int) -> [UInt8]? {
    guard Self.holds(1, at: offset, in: section) else { return nil }
    let count = min(section.count - offset, byteCountMax)
    let bytes = unsafe UnsafeRawBufferPointer(start: base + section.lowerBound + offset, count: count)
    // The end of the text is looked for in a copy, which nothing changes any more.
    let copy = unsafe [UInt8](bytes)
    return copy.firstIndex(of: 0).map { Array(copy[..<$0]) }
  }

  private static func holds(_ count: Int, at offset: Int, in section: Range<Int>) -> Bool {
    offset >= 0 && section.count >= count && offset <= section.count - count
  }
}
