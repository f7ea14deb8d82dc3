import Platform
import CShims
internal import Synchronization

extension ResizableRegion {
  /// The end in the header, which any process may change at any moment.
  ///
  /// The header's page is mapped from the region's beginning to its end, and the word is aligned in it.
  private var sharedEnd: UnsafePointer<Atomic<UInt64>> {
    let address = unsafe base - RegionHeader.byteCount + RegionHeader.endOffset
    return unsafe UnsafePointer(address.assumingMemoryBound(to: Atomic<UInt64>.self))
  }

  /// Maps what other processes grew since the last time, and unmaps what they gave back.
  ///
  /// Costs three loads when nothing has changed.
  /// - Returns: `byteCount`.
  /// - Throws: `RegionError.damaged` if the header now has values that no region can have, or the file was
  ///   cut.
  @discardableResult
  public func refresh() throws(RegionError) -> Int {
    let word = unsafe sharedEnd.pointee.load(ordering: .acquiring)
    let faults = shim_guard_faults(guardSlot)
    if word != UInt64(mappedEnd.load(ordering: .relaxed)) || faults != repairedFaults.load(ordering: .relaxed)
    {
      try changing.withLock { () throws(RegionError) in _ = try follow() }
    }
    return byteCount
  }

  /// Whether the first `byteCount` bytes are usable here, after mapping what other processes have added, if
  /// need be.
  public func ensureMapped(upTo byteCount: Int) throws(RegionError) -> Bool {
    if byteCount <= self.byteCount { return true }
    return try refresh() >= byteCount
  }

  /// Runs `body` with the present end, while no thread and no process changes it.
  package func withEnd(_ body: (_ end: Int) throws(RegionError) -> Void) throws(RegionError) {
    try changing.withLock { () throws(RegionError) in
      try file.withLock { () throws(RegionError) in try body(follow()) }
    }
  }

  /// Tells all processes of another end, up to which everything is mapped here already.
  package func publish(end: Int) {
    shim_resize_guard(guardSlot, end)
    unsafe sharedEnd.pointee.store(UInt64(end), ordering: .releasing)
    mappedEnd.store(end, ordering: .releasing)
  }

  /// Maps as much as the header says, and returns the end.
  ///
  /// Called under the lock. If the file shrank and grew in the meantime, that makes no difference: a shared
  /// mapping shows what the file has at its place. Only pages that were put over it after a fault don't.
  private func follow() throws(RegionError) -> Int {
    let mapped = mappedEnd.load(ordering: .relaxed)
    let word = unsafe sharedEnd.pointee.load(ordering: .acquiring)
    let faults = shim_guard_faults(guardSlot)
    let hasFaulted = faults != repairedFaults.load(ordering: .relaxed)
    if word == UInt64(mapped) && !hasFaulted { return mapped }

    let end = try header.checked(end: word, path: path)
    let present = try file.byteCount()
    guard present >= end else { throw .cut(to: present, from: end, path: path) }
    try span.lay(file, over: (hasFaulted ? RegionHeader.byteCount : min(mapped, end))..<end)
    if end < mapped { try span.withdraw(end..<mapped) }
    shim_resize_guard(guardSlot, end)
    repairedFaults.store(faults, ordering: .relaxed)
    mappedEnd.store(end, ordering: .releasing)
    return end
  }
}

extension RegionError {
  /// The error for a file that is shorter than its header says.
  package static func cut(to present: Int, from end: Int, path: String) -> RegionError {
    .damaged(path: path, reason: "\(end) bytes long by its header, and \(present) in fact")
  }
}
