import SharedMemory
import VarnishLog

/// Finding records again behind damage.
///
/// Bytes are taken for records again from the first place where a run of them begins: `runLength` whole
/// records one behind the other, or `lastRunLength` if the piece ends behind them. Fewer are found by chance
/// in any long text.
extension ImageRecords {
  /// How many records a run has at least, and how many if it reaches the end.
  private static var runLength: Int { 8 }
  private static var lastRunLength: Int { 2 }

  /// Where the next run of records begins behind the present position; the piece's end if there is none.
  func resynchronized(in extent: LogImage.Extent) -> Int {
    let stride = isRing ? 4 : 1
    let end = extent.bytes.upperBound
    var at = position + stride
    while end - at >= Layout.headerByteCount {
      if beginsRun(at: at, in: extent) { return at }
      at += stride
    }
    return end
  }

  private func beginsRun(at start: Int, in extent: LogImage.Extent) -> Bool {
    let end = extent.bytes.upperBound
    var (at, count) = (start, 0)
    while count < Self.runLength {
      guard let shape = shape(at: at, upTo: end), isWholeInPlace(at: at, shape) else {
        return count >= Self.lastRunLength && isEnd(at: at, extent)
      }
      at += shape.byteCount
      count += 1
    }
    return isFollowed(at: at, in: extent)
  }

  private func isEnd(at position: Int, _ extent: LogImage.Extent) -> Bool {
    let room = extent.bytes.upperBound - position
    if room == 0 { return true }
    guard isRing, room >= 4 else { return false }
    return [LogImage.Mark.end, LogImage.Mark.wrap].contains(image.word(at: position))
  }

  /// Whether a unit is whole, looked at in the mapping; it is checked again once it is copied.
  private func isWholeInPlace(at position: Int, _ shape: UnitShape) -> Bool {
    let start = unsafe image.mapping.base + position + shape.skipped
    guard shape.skipped > 0 else { return unsafe check.isWhole(start) }
    return unsafe check.isBatch(start, byteCount: shape.byteCount - shape.skipped)
  }
}
