import CShims
internal import Synchronization

extension ResizableRegion {
  /// The extent in the header, which any process may change at any moment.
  ///
  /// The header's page is mapped from the region's beginning to its end, and the word is aligned in it.
  private var sharedExtent: UnsafePointer<Atomic<UInt64>> {
    let address = base - RegionHeader.byteCount + RegionHeader.extentOffset
    return UnsafePointer(address.assumingMemoryBound(to: Atomic<UInt64>.self))
  }

  /// Maps what other processes grew since the last time, and unmaps what they gave back.
  ///
  /// Costs three loads when nothing has changed.
  /// - Returns: `byteCount`.
  /// - Throws: `RegionError.damaged` if the header now says what cannot be, or the file was cut.
  @discardableResult
  public func refresh() throws(RegionError) -> Int {
    let word = sharedExtent.pointee.load(ordering: .acquiring)
    let faults = shim_guard_faults(guardSlot)
    if word != mappedExtent.load(ordering: .relaxed) || faults != repairedFaults.load(ordering: .relaxed) {
      try changing.withLock { _ throws(RegionError) in _ = try follow() }
    }
    return byteCount
  }

  /// Whether the first `byteCount` bytes are usable here, after following the others if need be.
  public func ensureMapped(upTo byteCount: Int) throws(RegionError) -> Bool {
    if byteCount <= self.byteCount { return true }
    return try refresh() >= byteCount
  }

  /// Runs `body` with the present extent, while no thread and no process changes it.
  func withExtent(
    _ body: (_ extent: RegionExtent, _ end: Int) throws(RegionError) -> Void
  ) throws(RegionError) {
    try changing.withLock { _ throws(RegionError) in
      try file.withLock { () throws(RegionError) in
        let extent = try follow()
        try body(extent, header.end(of: extent, path: path))
      }
    }
  }

  /// Tells all processes of another extent, which is mapped here already.
  func publish(_ extent: RegionExtent, endingAt end: Int) {
    shim_resize_guard(guardSlot, end)
    sharedExtent.pointee.store(extent.word, ordering: .releasing)
    mappedExtent.store(extent.word, ordering: .releasing)
  }

  /// Has mapped what the header says.
  ///
  /// Called under the lock.
  private func follow() throws(RegionError) -> RegionExtent {
    let mapped = RegionExtent(word: mappedExtent.load(ordering: .relaxed))
    let extent = RegionExtent(word: sharedExtent.pointee.load(ordering: .acquiring))
    let faults = shim_guard_faults(guardSlot)
    let hasFaulted = faults != repairedFaults.load(ordering: .relaxed)
    if extent == mapped && !hasFaulted { return extent }

    let end = try header.end(of: extent, path: path)
    let present = try file.byteCount()
    guard present >= end else { throw .cut(to: present, from: end, path: path) }
    let mappedEnd = mappedEnd
    // What was there before a fault or a shrinking may no longer be the file.
    let isGood = extent.shrinkCount == mapped.shrinkCount && !hasFaulted
    let first = isGood ? min(mappedEnd, end) : RegionHeader.byteCount
    try span.lay(file, over: first..<end)
    if end < mappedEnd { try span.withdraw(end..<mappedEnd) }
    shim_resize_guard(guardSlot, end)
    repairedFaults.store(faults, ordering: .relaxed)
    mappedExtent.store(extent.word, ordering: .releasing)
    return extent
  }
}

extension RegionHeader {
  /// Where an extent ends, which somebody wrote into the file.
  ///
  /// - Throws: `RegionError.damaged` if that is before the header's end or behind the span's.
  func end(of extent: RegionExtent, path: String) throws(RegionError) -> Int {
    guard let end = extent.end, end >= Self.byteCount, end <= spanBytes else {
      throw .damaged(path: path, reason: "a size of 0x\(String(extent.word, radix: 16))")
    }
    return end
  }
}

extension RegionError {
  /// The error for a file that is shorter than its header says.
  static func cut(to present: Int, from end: Int, path: String) -> RegionError {
    .damaged(path: path, reason: "\(end) bytes long by its header, and \(present) in fact")
  }
}
