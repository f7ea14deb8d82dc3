import Glibc
import SharedMemory
import Synchronization
import TestSupport

private let placeCount = Atomic(0)

/// Options for a region at an address that no region of another test ever takes, so that the region can be
/// closed and opened again while others come and go.
func optionsForOwnPlace(spanBytes: Int = 1 << 30, growthBytes: Int = 1 << 20) -> ResizableRegion.Options {
  // Below the libraries, at addresses that the thread sanitizer allows as well.
  let place = placeCount.add(1, ordering: .relaxed).oldValue
  return .init(
    searchStart: 0x7a80_0000_0000 + UInt(place) << 33, spanBytes: spanBytes, growthBytes: growthBytes)
}

/// The mappings of this process that touch a range of addresses, as `/proc/PID/maps` has them.
private func mappings(in range: Range<UInt>) throws -> [Substring] {
  try readText("/proc/self/maps").split(separator: "\n").filter { line in
    let bounds = line.prefix { $0 != " " }.split(separator: "-").compactMap { UInt($0, radix: 16) }
    return bounds.count == 2 && bounds[0] < bounds[1] && (bounds[0]..<bounds[1]).overlaps(range)
  }
}

/// How many mappings of this process touch a range of addresses.
func mappingCount(in range: Range<UInt>) throws -> Int { try mappings(in: range).count }

/// Whether a part of a region's span is reserved and nothing else.
func isReservedOnly(_ region: ResizableRegion, _ range: Range<Int>) throws -> Bool {
  let start = UInt(bitPattern: region.base)
  let found = try mappings(in: start + UInt(range.lowerBound)..<start + UInt(range.upperBound))
  return !found.isEmpty && found.allSatisfy { $0.contains(" ---p ") }
}
