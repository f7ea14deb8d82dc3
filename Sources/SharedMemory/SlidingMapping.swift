import Glibc
package import Platform

/// The part of a file that is being read, mapped `PROT_READ`, which moves forward through the file.
///
/// A longer span of the file is mapped at once, and pages are given back when they have been passed, 2 MiB at a time,
/// which are one piece where the page cache has them so. Mapping each part by itself costs more: the page tables are
/// freed with each part, and then the kernel has to interrupt all processors that the process's threads have run on,
/// sleeping ones, too. On a virtual machine that took up to a tenth of a conversion's time.
///
/// The end of the span may lie behind the end of the file, which may grow, or be truncated: what isn't there reads as
/// zeros, as with a `ReadOnlyMapping`.
@safe package struct SlidingMapping: ~Copyable {
  // Invariant: `part` is within `span`; both are offsets in the file, and `span` begins at a piece of it and is what
  // `pages` has. What has been given back is still mapped, and would be read from the file again.

  private let pages: FilePages
  private let span: Range<Int>
  private var part: Range<Int>
  /// The offset up to which pages have been given back.
  private var released: Int

  /// How much of the file is mapped at once: little of what a limit on addresses may leave.
  private static var spanByteCount: Int { 16 << 20 }

  /// Maps a file from a place on, and makes this part of it readable.
  ///
  /// - Throws: `SystemError` if files of this kind can't be mapped.
  package init(_ file: borrowing ReadOnlyFile, _ part: Range<Int>) throws(SystemError) {
    guard part.lowerBound >= 0 else { throw SystemError(operation: "map", path: file.path, code: EINVAL) }
    let start = Self.startOfPiece(part.lowerBound)
    let (end, overflow) = start.addingReportingOverflow(max(Self.spanByteCount, part.upperBound - start))
    guard !overflow else { throw SystemError(operation: "map", path: file.path, code: EINVAL) }
    pages = try FilePages(file, offset: start, byteCount: end - start)
    span = start..<end
    self.part = part
    released = start
  }

  /// The part's first byte; as many as it has may be read from there.
  package var base: UnsafeRawPointer {
    unsafe UnsafeRawPointer(pages.start + (part.lowerBound - span.lowerBound))
  }

  /// Moves to another part, which begins no earlier, and gives back what lies before it.
  ///
  /// - Returns: false if it reaches behind the span, and nothing was changed.
  package mutating func move(to newPart: Range<Int>) -> Bool {
    precondition(newPart.lowerBound >= part.lowerBound, "a part of a file that was given back")
    guard newPart.upperBound <= span.upperBound else { return false }
    part = newPart
    let end = Self.startOfPiece(part.lowerBound)
    if end > released {
      pages.release(released - span.lowerBound..<end - span.lowerBound)
      released = end
    }
    return true
  }

  private static func startOfPiece(_ offset: Int) -> Int {
    offset / FilePages.pieceByteCount * FilePages.pieceByteCount
  }
}
