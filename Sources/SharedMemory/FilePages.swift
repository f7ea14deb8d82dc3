import CShims
import Glibc
import Platform

/// Pages of a file, mapped `PROT_READ` and shared, and guarded against the file being truncated.
///
/// They lie where the system can map 2 MiB of them by one entry of its tables, which it does if the page cache has
/// them in one piece: the address and the offset in the file have the same place within 2 MiB. A gigabyte that lies
/// in such pieces takes 800 page faults then instead of 3,300.
@safe package struct FilePages: ~Copyable {
  // Invariant: `start..<start + byteCount` is mapped until this ends, and nothing else unmaps it. Addresses are only
  // replaced or given up within what `reserve` was granted: what comes before and behind them is less than a piece.

  /// The first page.
  let start: UnsafeMutableRawPointer
  /// How many bytes from there are mapped.
  let byteCount: Int

  /// How many bytes the system maps by one entry at most.
  static var pieceByteCount: Int { 2 << 20 }

  /// Maps a part of a file.
  ///
  /// - Parameter offset: a multiple of a page's size.
  /// - Throws: `SystemError` if files of this kind can't be mapped.
  init(_ file: borrowing ReadOnlyFile, offset: Int, byteCount: Int) throws(SystemError) {
    var flags = MAP_SHARED
    let place = byteCount < Self.pieceByteCount ? nil : unsafe Self.reserve(byteCount, congruentTo: offset)
    // Nothing but the addresses just reserved is replaced.
    if unsafe place != nil { flags |= MAP_FIXED }
    let mapped = unsafe mmap(place, byteCount, PROT_READ, flags, file.descriptor, off_t(offset))
    guard let mapped = unsafe mapped, unsafe mapped != MAP_FAILED else {
      // The reserved addresses are left alone: some kernels have removed the reservation by now, and another
      // thread may have got the addresses.
      throw SystemError(operation: "map", path: file.path)
    }
    unsafe start = unsafe mapped
    self.byteCount = byteCount
    unsafe shim_guard_region(mapped, byteCount)
  }

  deinit {
    unsafe shim_unguard_region(start)
    unsafe munmap(start, byteCount)
  }

  /// Gives back the memory of pages that won't be read any more; they stay mapped.
  func release(_ part: Range<Int>) {
    precondition(part.lowerBound >= 0 && part.upperBound <= byteCount, "outside the pages")
    unsafe madvise(start + part.lowerBound, part.count, MADV_DONTNEED)
  }

  /// Reserves addresses that have the same place within a piece as an offset; nil if there aren't enough.
  private static func reserve(_ byteCount: Int, congruentTo offset: Int) -> UnsafeMutableRawPointer? {
    let (sum, overflow) = byteCount.addingReportingOverflow(pieceByteCount)
    guard !overflow else { return nil }
    let granted = unsafe mmap(nil, sum, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
    guard let granted = unsafe granted, unsafe granted != MAP_FAILED else { return nil }
    let lead = (offset - Int(bitPattern: granted)) & (pieceByteCount - 1)
    let place = unsafe granted + lead
    let used = lead + (Page.roundedUp(byteCount) ?? byteCount)
    if lead > 0 { unsafe munmap(granted, lead) }
    if used < sum { unsafe munmap(granted + used, sum - used) }
    return unsafe place
  }
}
