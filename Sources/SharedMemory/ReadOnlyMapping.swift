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
  private let pages: FilePages

  /// Maps `byteCount` bytes of `file` from `offset` on.
  ///
  /// - Throws: `SystemError`, with `EINVAL` if the range is empty or reaches past the end of the file.
  public init(
    _ file: borrowing ReadOnlyFile, offset: Int = 0, byteCount: Int
  ) throws(SystemError) {
    let identity = try file.state()
    let (end, overflow) = offset.addingReportingOverflow(byteCount)
    guard offset >= 0, byteCount > 0, !overflow, end <= identity.byteCount else {
      throw SystemError(operation: "map", path: file.path, code: EINVAL)
    }
    let lead = offset % Page.byteCount
    pages = try FilePages(file, offset: offset - lead, byteCount: lead + byteCount)
    unsafe base = unsafe UnsafeRawPointer(pages.start) + lead
    self.byteCount = byteCount
  }
}
