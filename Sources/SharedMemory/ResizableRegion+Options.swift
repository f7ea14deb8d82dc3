extension ResizableRegion {
  /// Where a new region lies and how far it can grow.
  ///
  /// Sizes are rounded up to pages.
  public struct Options: Equatable, Sendable {
    /// The first address that is tried.
    public var searchStart: UInt
    /// How far the next address to try lies from one that was taken.
    public var searchStep: Int
    /// How many addresses are tried.
    public var searchTries: Int
    /// How large the region can become: addresses that are reserved, not memory.
    public var spanBytes: Int
    /// The step in which it grows.
    public var growthBytes: Int

    /// A span of 64 GiB in the middle of the address space that grows by 1 MiB, unless told otherwise.
    ///
    /// Used addresses clump at both ends of the 47 bits that a process has; the search goes through
    /// the whole upper half, since tools such as the thread sanitizer keep parts of it for themselves.
    public init(
      searchStart: UInt = 0x4000_0000_0000, searchStep: Int = 64 << 30, searchTries: Int = 1024,
      spanBytes: Int = 64 << 30, growthBytes: Int = 1 << 20
    ) {
      self.searchStart = searchStart
      self.searchStep = searchStep
      self.searchTries = searchTries
      self.spanBytes = spanBytes
      self.growthBytes = growthBytes
    }

    /// The addresses to try, in order; none that a 64-bit number can't hold.
    package var candidates: some Sequence<UInt> {
      let start = searchStart / UInt(Page.byteCount) * UInt(Page.byteCount)
      return sequence(first: start) { [step = Page.roundedUp(searchStep)] address in
        guard let step else { return nil }
        let (next, overflow) = address.addingReportingOverflow(UInt(step))
        return overflow ? nil : next
      }.prefix(searchTries)
    }

    /// These options with sizes in whole pages.
    ///
    /// - Throws: `RegionError.invalidOptions`.
    package func rounded() throws(RegionError) -> Options {
      guard searchStep > 0, searchTries > 0 else {
        throw .invalidOptions(reason: "the search needs a step and a number of tries above 0")
      }
      guard let span = Page.roundedUp(spanBytes), span > 0, span <= RegionHeader.capacityMax else {
        throw .invalidOptions(reason: "a span of \(spanBytes) bytes")
      }
      guard let growth = Page.roundedUp(growthBytes), growth > 0 else {
        throw .invalidOptions(reason: "growing by \(growthBytes) bytes")
      }
      var options = self
      options.spanBytes = span
      options.growthBytes = min(growth, span)
      return options
    }
  }
}
