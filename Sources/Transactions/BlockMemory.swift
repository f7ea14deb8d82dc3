import Glibc

/// Memory in large blocks, for what there may be a hundred thousand of.
///
/// What is looked at in no order, and lies in more pages than the processor has addresses of at hand, costs a walk
/// through the tables of pages each time; blocks of 2 MiB lie in one page each where the system allows that.
enum BlockMemory {
  /// What one large page holds.
  static var pageByteCount: Int { 2 << 20 }

  /// So many bytes, at the beginning of a line of the processor's caches.
  static func allocate(_ byteCount: Int) -> UnsafeMutableRawPointer {
    let isLarge = byteCount >= pageByteCount
    var memory: UnsafeMutableRawPointer?
    guard unsafe posix_memalign(&memory, isLarge ? pageByteCount : 64, byteCount) == 0,
      let memory = unsafe memory
    else { preconditionFailure("no memory for \(byteCount) bytes") }
    // Without it the memory is as good, and slower.
    if isLarge { _ = unsafe madvise(memory, byteCount & ~(pageByteCount - 1), MADV_HUGEPAGE) }
    return unsafe memory
  }

  /// Gives back what `allocate` has returned.
  static func deallocate(_ memory: UnsafeMutableRawPointer) { unsafe free(memory) }
}
