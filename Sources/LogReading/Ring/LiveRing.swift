import CShims
package import SharedMemory
public import VarnishLog

/// Where in a live log reading starts.
public enum LogStart: Sendable {
  /// At the oldest record that is still whole.
  case head
  /// Behind the newest record.
  case tail
  /// At a position, or where it leads to nothing at the oldest record, as `LogRing.resumption` says.
  case at(LogPosition)
}

/// A live log of either record layout.
public enum LiveRing: ~Copyable {
  case narrow(LogRing<NarrowRecords>)
  case wide(LogRing<WideRecords>)

  /// Recognises a mapped log by its marker.
  ///
  /// - Returns: nil if the marker isn't there yet; the server stores it last.
  /// - Throws: `LogError.damaged` if it is no log of a known generation.
  package init?(
    _ mapping: consuming ReadOnlyMapping, path: String, incarnation: LogIncarnation, start: LogStart,
    stopsAtTail: Bool
  ) throws(LogError) {
    guard mapping.byteCount > RingLayout.byteCount else {
      throw .damaged(
        path: path, offset: 0, problem: "\(mapping.byteCount) bytes are too few for a log")
    }
    switch unsafe shim_load_acquire_u64(mapping.base) {
    case 0: return nil
    case NarrowRecords.ringMagic:
      self = .narrow(
        try LogRing(mapping, path: path, incarnation: incarnation, start: start, stopsAtTail: stopsAtTail))
    case WideRecords.ringMagic:
      self = .wide(
        try LogRing(mapping, path: path, incarnation: incarnation, start: start, stopsAtTail: stopsAtTail))
    default:
      throw .damaged(path: path, offset: 0, problem: "no marker of a log (VSLHEAD1 or VSLHEAD2)")
    }
  }
}
