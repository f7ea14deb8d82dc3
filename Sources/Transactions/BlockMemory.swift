import Glibc

/// Memory in large blocks, for kinds of data of which there may be a hundred thousand pieces.
///
/// Data that is accessed in no order, and lies in more pages than the processor has addresses of at hand,
/// costs a walk through the page tables at each access; blocks of 2 MiB lie in one page each where the system
/// allows that.
enum BlockMemory {
  /// The size of a large page.
  static var pageByteCount: Int { 2 << 20 }

  /// Allocates bytes that begin at a line of the processor's caches.
  static func allocate(_ byteCount: Int) -> UnsafeMutableRawPointer {
    let isLarge = byteCount >= pageByteCount
    var memory: UnsafeMutableRawPointer?
    guard unsafe posix_memalign(&memory, isLarge ? pageByteCount : 64, byteCount) == 0,
      let memory = unsafe memory
    else { preconditionFailure("no memory for \(byteCount) bytes") }
    // If the system refuses, the memory is only slower.
    if isLarge { _ = unsafe madvise(memory, byteCount & ~(pageByteCount - 1), MADV_HUGEPAGE) }
    return unsafe memory
  }

  /// Gives back what `allocate` has returned.
  static func deallocate(_ memory: UnsafeMutableRawPointer) { unsafe free(memory) }
}
