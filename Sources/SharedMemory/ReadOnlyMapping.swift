import CShims
import Glibc
public import Platform

/// A range of a file mapped `PROT_READ`: memory that another process may change and this one cannot.
///
/// The mapping outlives the removal of the file. If the file is *truncated* while it is mapped, the kernel
/// would deliver SIGBUS on access; `FaultGuard` turns that into zero bytes, which no log contains at a
/// record's place, so that a reader stops instead of dying.
@safe public struct ReadOnlyMapping: ~Copyable {
  /// The first byte that was asked for.
  public let base: UnsafeRawPointer
  /// How many bytes from `base` may be read.
  public let byteCount: Int
  private let pages: UnsafeMutableRawPointer
  private let pagesByteCount: Int

  /// Maps `byteCount` bytes of `file` from `offset` on.
  ///
  /// - Parameter readsAhead: whether all of it is brought into memory at once, which is cheaper than one page
  ///   fault after the other for what will be read from end to end.
  /// - Throws: `SystemError`, with `EINVAL` if the range is empty or reaches past the end of the file.
  public init(
    _ file: borrowing ReadOnlyFile, offset: Int = 0, byteCount: Int, readsAhead: Bool = false
  ) throws(SystemError) {
    let identity = try file.state()
    let (end, overflow) = offset.addingReportingOverflow(byteCount)
    guard offset >= 0, byteCount > 0, !overflow, end <= identity.byteCount else {
      throw SystemError(operation: "map", path: file.path, code: EINVAL)
    }
    let pageSize = sysconf(Int32(_SC_PAGESIZE))
    let lead = offset % pageSize
    let mapped = unsafe mmap(
      nil, lead + byteCount, PROT_READ, MAP_SHARED | (readsAhead ? MAP_POPULATE : 0), file.descriptor,
      off_t(offset - lead))
    guard let mapped = unsafe mapped, unsafe mapped != MAP_FAILED else {
      throw SystemError(operation: "map", path: file.path)
    }
    unsafe pages = unsafe mapped
    pagesByteCount = lead + byteCount
    unsafe base = unsafe UnsafeRawPointer(mapped) + lead
    self.byteCount = byteCount
    unsafe shim_guard_region(mapped, pagesByteCount)
  }

  deinit {
    unsafe shim_unguard_region(pages)
    unsafe munmap(pages, pagesByteCount)
  }
}
