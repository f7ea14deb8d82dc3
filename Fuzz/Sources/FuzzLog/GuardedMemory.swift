import CFuzz
import Glibc

/// Poisons the rest of a mapping's last page while `body` runs.
///
/// The kernel maps whole pages, so that a read beyond the end would find zeros and go unnoticed.
func withGuardedTail(
  of mapping: UnsafeRawPointer, byteCount: Int, _ body: () -> Void
) {
  let pageSize = sysconf(Int32(_SC_PAGESIZE))
  let end = UInt(bitPattern: mapping) + UInt(byteCount)
  let slack = Int((UInt(pageSize) - end % UInt(pageSize)) % UInt(pageSize))
  fuzz_forbid(mapping + byteCount, slack)
  body()
  fuzz_allow(mapping + byteCount, slack)
}
