import CShims
import Glibc

/// How much memory and address space this process may have.
package struct MachineLimits: Sendable, Equatable {
  /// The memory limit: the machine's memory, or less if a control group limits it; nil if it can't be known.
  package var memoryBytes: Int?
  /// The address space limit, and how much of it is in use; nil if there is no limit.
  package var addresses: (bytesMax: Int, bytesUsed: Int)?

  package static func == (left: MachineLimits, right: MachineLimits) -> Bool {
    left.memoryBytes == right.memoryBytes && left.addresses?.bytesMax == right.addresses?.bytesMax
      && left.addresses?.bytesUsed == right.addresses?.bytesUsed
  }

  /// The limits of this process now.
  package static var current: MachineLimits {
    MachineLimits(memoryBytes: memoryBytes, addresses: addresses)
  }

  private static var memoryBytes: Int? {
    let (pages, pageBytes) = (sysconf(Int32(_SC_PHYS_PAGES)), sysconf(Int32(_SC_PAGESIZE)))
    let physical = pages > 0 && pageBytes > 0 ? pages * pageBytes : nil
    return [physical, ControlGroups().memoryBytesMax].compactMap(\.self).min()
  }

  private static var addresses: (bytesMax: Int, bytesUsed: Int)? {
    var limit = rlimit()
    guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit) == 0,
      limit.rlim_cur < UInt64(Int.max)
    else { return nil }
    // The first number is the size of all mappings, in pages.
    let used = SmallFile.text("/proc/self/statm").flatMap { $0.split(separator: " ").first }.flatMap {
      Int($0)
    }
    return (Int(limit.rlim_cur), (used ?? 0) * sysconf(Int32(_SC_PAGESIZE)))
  }

  /// How much memory a queue takes at most by default: 512 MiB, but no more than a quarter of what this
  /// process may have, as the rest of the process, the log and other processes need memory as well.
  package var queueBytes: Int {
    var shares = [512 << 20]
    if let memoryBytes { shares.append(memoryBytes / 4) }
    if let addresses { shares.append((addresses.bytesMax - addresses.bytesUsed - Self.otherBytes) / 2) }
    let share = max(shares.min() ?? 0, Self.queueBytesMin)
    return share - share % (1 << 20)
  }

  /// How many threads share a piece of work by default: as many as this process has processors, but no more
  /// than four; where address space is limited, one, as each thread takes much of it.
  package var threads: Int { addresses == nil ? min(4, Int(shim_processor_count())) : 1 }

  private static let queueBytesMin = 4 << 20
  /// What threads and buffers take, and what the log's mapping may take.
  private static let otherBytes = 32 << 20
}
