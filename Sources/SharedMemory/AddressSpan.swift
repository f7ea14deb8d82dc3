import Glibc
import Platform

/// A reserved span of addresses, of which any part can be laid over with a file.
///
/// All decisions about where a region lies are here. It is sound because `MAP_FIXED`, which replaces what
/// lies at an address, is only ever used inside the span, and the span was free when the system granted it:
/// the address is asked for without insisting, and a grant elsewhere is handed back.
package struct AddressSpan: ~Copyable, Sendable {
  let start: UInt
  let byteCount: Int
  /// The name of the file that is laid over it, for messages.
  private let path: String

  private init(start: UInt, byteCount: Int, path: String) {
    self.start = start
    self.byteCount = byteCount
    self.path = path
  }

  /// Reserves the span at an address; nil if anything else lies there.
  static func reserve(
    at address: UInt, byteCount: Int, for path: String
  ) throws(RegionError) -> AddressSpan? {
    let granted = unsafe mmap(
      UnsafeMutableRawPointer(bitPattern: address), byteCount, PROT_NONE,
      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
    guard let granted = unsafe granted, unsafe granted != MAP_FAILED else {
      throw .system(SystemError(operation: "reserve \(byteCount) bytes of addresses", path: path))
    }
    // Handed back by its end if it is not the one asked for.
    let span = AddressSpan(start: UInt(bitPattern: granted), byteCount: byteCount, path: path)
    return span.start == address ? consume span : nil
  }

  deinit {
    unsafe munmap(UnsafeMutableRawPointer(bitPattern: start), byteCount)
  }

  /// Maps a part of a file, for reading and writing, at the same offset of the span.
  ///
  /// Where the same file is mapped already, nothing changes for the threads that use it: the system replaces
  /// a mapping in one step.
  func lay(_ file: borrowing RegionFile, over range: Range<Int>) throws(RegionError) {
    try place(range, PROT_READ | PROT_WRITE, MAP_SHARED, file.descriptor)
  }

  /// Takes a part's memory away; its addresses stay reserved.
  func withdraw(_ range: Range<Int>) throws(RegionError) {
    try place(range, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1)
  }

  private func place(
    _ range: Range<Int>, _ protection: Int32, _ flags: Int32, _ descriptor: Int32
  ) throws(RegionError) {
    precondition(range.lowerBound >= 0 && range.upperBound <= byteCount, "outside the reserved span")
    if range.isEmpty { return }
    let target = unsafe UnsafeMutableRawPointer(bitPattern: start + UInt(range.lowerBound))
    let offset = descriptor < 0 ? 0 : off_t(range.lowerBound)
    let placed = unsafe mmap(target, range.count, protection, flags | MAP_FIXED, descriptor, offset)
    if unsafe placed == MAP_FAILED {
      throw .system(SystemError(operation: "map \(range.count) bytes", path: path))
    }
  }
}
