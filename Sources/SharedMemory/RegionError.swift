public import Platform

/// Why a `ResizableRegion` could not be had, grown or changed.
public enum RegionError: Error, Equatable, Sendable, CustomStringConvertible {
  /// Something else lies at the address at which every process maps this region.
  case addressTaken(at: UInt, path: String)
  /// None of the addresses that were tried was free for the whole span.
  case noAddressFree(tries: Int, path: String)
  /// A size was asked for that the reserved span can never hold.
  case spanExhausted(wanted: Int, capacity: Int, path: String)
  /// The file system has no blocks left, or the user may have no more of them.
  case noSpace(SystemError)
  /// The file is no region, or its header has values that no region can have.
  case damaged(path: String, reason: String)
  /// A part was named that is not inside the region.
  case outOfRange(offset: Int, byteCount: Int, limit: Int, path: String)
  /// Options that no region can have.
  case invalidOptions(reason: String)
  /// Another system call failed.
  case system(SystemError)

  /// The system's error number, if a system call failed.
  public var code: Int32? {
    switch self {
    case .noSpace(let error), .system(let error): error.code
    default: nil
    }
  }

  /// One line: the region's path, what was attempted, and how it failed.
  public var description: String {
    switch self {
    case .addressTaken(let address, let path):
      "\(path): map at 0x\(String(address, radix: 16)): something else lies there"
    case .noAddressFree(let tries, let path):
      "\(path): reserve addresses: none of \(tries) places is free"
    case .spanExhausted(let wanted, let capacity, let path):
      "\(path): grow to \(wanted) bytes: the reserved span holds \(capacity)"
    case .damaged(let path, let reason):
      "\(path): not a usable region: \(reason)"
    case .outOfRange(let offset, let byteCount, let limit, let path):
      "\(path): \(byteCount) bytes at \(offset): the region has \(limit)"
    case .invalidOptions(let reason):
      "region options: \(reason)"
    case .noSpace(let error), .system(let error):
      error.description
    }
  }
}
