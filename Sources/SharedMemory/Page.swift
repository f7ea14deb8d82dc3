import Glibc

/// The unit in which the system maps memory.
enum Page {
  /// Its size, a power of two.
  static let byteCount = sysconf(Int32(_SC_PAGESIZE))

  /// The size of the pages that hold `byteCount` bytes; nil if that is negative or no number.
  static func roundedUp(_ byteCount: Int) -> Int? {
    let (sum, overflow) = byteCount.addingReportingOverflow(self.byteCount - 1)
    return byteCount < 0 || overflow ? nil : sum / self.byteCount * self.byteCount
  }

  /// Whether a size or address is a multiple of a page's size.
  static func isWhole(_ value: UInt64) -> Bool { value % UInt64(byteCount) == 0 }
}
