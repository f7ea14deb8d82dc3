public import VarnishLog

/// Going on where reading had stopped, perhaps in another process.
extension FileRecords {
  /// Moves forward to a stored position, which may be made up, or be of a file that was changed since.
  ///
  /// All records up to there are walked over: nothing else tells where one begins. Comes after `begin` and
  /// before `next`.
  ///
  /// - Returns: `held` if reading goes on there. After `otherIncarnation` it goes on at the beginning; after
  ///   `noSuchPlace`, with the record that reaches over the position, or at the file's end. To have all of a
  ///   file that was changed, open it anew.
  /// - Throws: `LogError.readFailed` or `.undecodable` if the file can't be read that far.
  public mutating func resume(at target: LogPosition) throws(LogError) -> LogResumption {
    // A pipe's name may be the same, but what came through it before won't come again.
    guard window.isLasting, target.incarnation == incarnation else { return .otherIncarnation }
    while nextPlace < target.place {
      guard walk(upTo: target.place) else { return .noSuchPlace }
      if nextPlace == target.place { break }
      if window.reachedEnd {
        if let fault = window.fault { throw fault }
        return .noSuchPlace
      }
      try window.slide(by: offsetInWindow)
      offsetInWindow = 0
    }
    return nextPlace == target.place ? .held : .noSuchPlace
  }

  /// Passes over the window's whole records in front of a place.
  ///
  /// - Returns: false if the next one reaches over the place, or isn't one.
  private mutating func walk(upTo place: UInt64) -> Bool {
    var left = place - nextPlace
    while left > 0, window.byteCount - offsetInWindow >= Layout.headerByteCount {
      let word = unsafe (window.start + offsetInWindow).load(as: UInt32.self)
      let byteCount: Int
      switch RecordHeader.tag(word) {
      case 0, 254: return false
      case RecordHeader.batchTag: byteCount = Layout.headerByteCount
      default: byteCount = Record<Layout>.byteCount(word)
      }
      guard left >= UInt64(byteCount) else { return false }
      guard byteCount <= window.byteCount - offsetInWindow else { return true }
      offsetInWindow += byteCount
      left -= UInt64(byteCount)
    }
    return true
  }
}
