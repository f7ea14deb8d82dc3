import CShims
import Glibc
package import Platform

/// The part of a file that is being read, mapped `PROT_READ`, which moves forward through the file.
///
/// A longer span of the file is mapped at once, and pages are given back as soon as they have been passed, a few hundred
/// at a time. Mapping each part by itself costs more: the page tables are freed with each part, and then the kernel
/// has to interrupt all processors that the process's threads have run on, sleeping ones, too. On a virtual machine
/// that took up to a tenth of a conversion's time.
///
/// The end of the span may lie behind the end of the file, which may grow, or be truncated: what isn't there reads as
/// zeros, as with a `ReadOnlyMapping`.
@safe package struct SlidingMapping: ~Copyable {
  // Invariant: `part` is within `span`; both are offsets in the file, and `span` begins at a page. `pages` is where the
  // span's first byte is in memory. What has been given back is still mapped, and would be read from the file again.

  private let pages: UnsafeMutableRawPointer
  private let span: Range<Int>
  private var part: Range<Int>
  /// What has been given back ends here.
  private var released: Int

  /// How much of the file is mapped at once: little of what a limit on addresses may leave.
  private static var spanByteCount: Int { 16 << 20 }
  /// The most that is given back at once: less than the 2 MiB whose page table newer kernels would free with it.
  private static var releasedByteCountMax: Int { 1 << 20 }

  /// Maps a file from a place on, and makes this part of it readable.
  ///
  /// - Throws: `SystemError` if files of this kind can't be mapped.
  package init(_ file: borrowing ReadOnlyFile, _ part: Range<Int>) throws(SystemError) {
    guard part.lowerBound >= 0 else { throw SystemError(operation: "map", path: file.path, code: EINVAL) }
    let start = part.lowerBound / Page.byteCount * Page.byteCount
    let (end, overflow) = start.addingReportingOverflow(max(Self.spanByteCount, part.upperBound - start))
    guard !overflow else { throw SystemError(operation: "map", path: file.path, code: EINVAL) }
    let mapped = unsafe mmap(nil, end - start, PROT_READ, MAP_SHARED, file.descriptor, off_t(start))
    guard let mapped = unsafe mapped, unsafe mapped != MAP_FAILED else {
      throw SystemError(operation: "map", path: file.path)
    }
    unsafe pages = unsafe mapped
    span = start..<end
    self.part = part
    released = start
    unsafe shim_guard_region(mapped, span.count)
  }

  deinit {
    unsafe shim_unguard_region(pages)
    unsafe munmap(pages, span.count)
  }

  /// The part's first byte; as many as it has may be read from there.
  package var base: UnsafeRawPointer { unsafe UnsafeRawPointer(pages + (part.lowerBound - span.lowerBound)) }

  /// Moves to another part, which begins no earlier, and gives back what lies before it.
  ///
  /// - Returns: false if it reaches behind the span, and nothing was changed.
  package mutating func move(to newPart: Range<Int>) -> Bool {
    precondition(newPart.lowerBound >= part.lowerBound, "a part of a file that was given back")
    guard newPart.upperBound <= span.upperBound else { return false }
    part = newPart
    let end = part.lowerBound / Page.byteCount * Page.byteCount
    while released < end {
      let count = min(end - released, Self.releasedByteCountMax)
      unsafe madvise(pages + (released - span.lowerBound), count, MADV_DONTNEED)
      released += count
    }
    return true
  }
}
