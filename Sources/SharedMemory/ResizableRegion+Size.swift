import Glibc

extension ResizableRegion {
  /// Makes the region at least this large; the memory that is added reads as zeros.
  ///
  /// The size is rounded up to a multiple of `growthBytes`, at most to `capacity`. If any process or thread
  /// has made it that large already, it is only mapped here: of many threads that meet the end, one grows the
  /// region.
  /// - Returns: `byteCount` afterwards.
  /// - Throws: `RegionError.spanExhausted` for more than `capacity`; `RegionError.noSpace` if the blocks
  ///   can't be had. The region is unchanged then, and can grow once there is space.
  @discardableResult
  public func grow(toAtLeast wanted: Int) throws(RegionError) -> Int {
    guard wanted <= capacity else {
      throw .spanExhausted(wanted: wanted, capacity: capacity, path: path)
    }
    if try refresh() >= wanted { return byteCount }
    let steps = (wanted + growthBytes - 1) / growthBytes
    let target = RegionHeader.byteCount + min(steps * growthBytes, capacity)
    try withEnd { end throws(RegionError) in
      if byteCount >= wanted { return }
      // A process died between setting a size and cutting the file, or before publishing what it had added.
      if try file.byteCount() > end { try file.truncate(to: end) }
      try file.extend(over: end..<target)
      do throws(RegionError) {
        try span.lay(file, over: end..<target)
      } catch {
        try? file.truncate(to: end)
        throw error
      }
      publish(end: target)
    }
    return byteCount
  }

  /// Gives the memory and blocks behind `byteCount`, rounded up to pages, back; nothing if it isn't larger.
  ///
  /// No process may use that part any more. In this process it ceases to be memory; other processes unmap it
  /// when they follow, and a process that touches it before finds zeros, which its `faultedPageCount` shows.
  public func shrink(to byteCount: Int) throws(RegionError) {
    guard let rounded = Page.roundedUp(byteCount) else {
      throw .outOfRange(offset: 0, byteCount: byteCount, limit: self.byteCount, path: path)
    }
    try withEnd { end throws(RegionError) in
      guard rounded < end - RegionHeader.byteCount else { return }
      let target = RegionHeader.byteCount + rounded
      // The size first: a process that follows from here on never maps what is about to go.
      publish(end: target)
      try span.withdraw(target..<end)
      try file.truncate(to: target)
    }
  }
}

// MARK: - Parts

extension ResizableRegion {
  /// Gives the memory and blocks of a part back; its addresses stay mapped, and read as zeros.
  ///
  /// Before it is used again, it must be allocated again: touching it takes memory unasked, and fails when there
  /// is none. Waits for no thread that grows. Where the file system can't give parts back, they are cleared.
  /// - Throws: `RegionError.outOfRange` for a part that isn't inside the region.
  public func discard(offset: Int, byteCount: Int) throws(RegionError) {
    let range = try fileRange(offset, byteCount)
    if range.isEmpty { return }
    if try !file.punchHole(range) {
      // The range was found to be inside the region, all of which stays mapped.
      unsafe (base + offset).initializeMemory(as: UInt8.self, repeating: 0, count: byteCount)
    }
  }

  /// Makes the blocks of a part real again; what it contains stays.
  ///
  /// - Throws: `RegionError.noSpace` if they can't be had; `RegionError.outOfRange` for a part that isn't
  ///   inside the region.
  public func allocate(offset: Int, byteCount: Int) throws(RegionError) {
    let range = try fileRange(offset, byteCount)
    if range.isEmpty { return }
    try file.allocate(range)
    // If a page of it was touched while it had no block, it is the file's again from now on.
    try refresh()
  }

  /// Waits until all that was written is on the disk.
  public func synchronize() throws(RegionError) { try file.synchronize() }

  /// Where in the file a part lies.
  private func fileRange(_ offset: Int, _ byteCount: Int) throws(RegionError) -> Range<Int> {
    let (end, overflow) = offset.addingReportingOverflow(byteCount)
    guard offset >= 0, byteCount >= 0, !overflow, try ensureMapped(upTo: end) else {
      throw .outOfRange(offset: offset, byteCount: byteCount, limit: self.byteCount, path: path)
    }
    return RegionHeader.byteCount + offset..<RegionHeader.byteCount + end
  }
}
