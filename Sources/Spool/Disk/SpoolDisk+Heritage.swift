import Platform
import Glibc
import Synchronization

/// What an earlier run has left.
extension SpoolDisk {
  /// What is found at the beginning.
  struct Heritage {
    /// Frames with records that were not delivered, the oldest first.
    var frames: [StoredFrame] = []
    /// In front of which record everything was delivered, or is lost.
    var delivered = 0
    /// The number of the first record that is new.
    var endSequence = 0
    /// How many records should be there, by their numbers, and are not.
    var missingRecords = 0

    /// What is to be delivered.
    var tally: Tally { frames.reduce(.zero) { $0 + $1.rest } }
  }

  /// Looks through all files; for the beginning, when nobody else does anything.
  func inherit() throws(SinkError) -> Heritage {
    let noted = try cursor.value(of: .delivered)
    let begun = try cursor.value(of: .begun)
    let written = try cursor.value(of: .written) ?? 0
    let segments = try openSegments()
    var stored: [StoredFrame] = []
    for segment in segments {
      stored += try segment.frames().map { StoredFrame(segment: segment, offset: $0.offset, frame: $0.frame) }
    }
    // What an ending run has put away last may be older than what was on disk already.
    stored.sort { $0.frame.firstSequence < $1.frame.firstSequence }
    var heritage = Heritage()
    var expected = [noted, begun].compactMap { $0 }.max() ?? stored.first?.frame.firstSequence ?? 0
    for var frame in stored where frame.frame.endSequence > expected {
      // What was written once more, as nobody could know whether it would be needed, is there twice.
      guard frame.frame.firstSequence >= expected || heritage.frames.isEmpty else { continue }
      heritage.missingRecords += max(0, frame.frame.firstSequence - expected)
      let count = max(0, expected - frame.frame.firstSequence)
      frame.delivered = Tally(
        records: count,
        bytes: try frame.segment.byteCount(ofFirst: count, in: frame.frame, at: frame.offset))
      if heritage.frames.isEmpty { heritage.delivered = frame.frame.firstSequence + count }
      expected = frame.frame.endSequence
      heritage.frames.append(frame)
    }
    heritage.missingRecords += max(0, written - expected)
    heritage.endSequence = max(expected, written)
    if heritage.frames.isEmpty { heritage.delivered = heritage.endSequence }
    deliveredEnd.store(heritage.delivered, ordering: .relaxed)
    notedEnd.store(noted ?? -1, ordering: .relaxed)
    writtenEnd.store(written, ordering: .relaxed)
    keep(segments, for: heritage.frames)
    return heritage
  }

  /// Removes those in which nothing is needed any more.
  private func keep(_ segments: [SpoolFile], for frames: [StoredFrame]) {
    shelf.withLock { shelf in
      for frame in frames { shelf.frameCounts[frame.segment.number, default: 0] += 1 }
      for segment in segments where shelf.frameCounts[segment.number] == nil { discard(segment, &shelf) }
    }
  }

  /// The files that are ours; what else bears such a name is left alone.
  private func openSegments() throws(SinkError) -> [SpoolFile] {
    var segments: [SpoolFile] = []
    for number in try segmentNumbers() {
      shelf.withLock { $0.nextNumber = max($0.nextNumber, number + 1) }
      let path = options.directory + "/" + SpoolFile.fileName(number)
      switch try SpoolFile.find(number, in: options.directory, system: system) {
      case .segment(let segment):
        try check(segment)
        usedBytes.add(segment.byteCount, ordering: .relaxed)
        segments.append(segment)
      case .stub: try? system.unlink(path)
      case .foreign: options.warn("\(path): no file of a spool, or damaged; it is left alone")
      }
    }
    return segments
  }

  private func segmentNumbers() throws(SinkError) -> [Int] {
    do {
      return try system.names(inDirectory: options.directory).compactMap(SpoolFile.number).sorted()
    } catch {
      throw SinkError(target: options.directory, operation: "list", errno: error)
    }
  }

  /// Makes sure that a file's records are such as this run's.
  private func check(_ segment: SpoolFile) throws(SinkError) {
    let kind = segment.header.kind
    let isBinary = kind != 0
    let found = BinaryContent.Kind(
      marker: UInt32(truncatingIfNeeded: kind), variant: UInt8(truncatingIfNeeded: kind >> 32))
    if isBinary == (options.content != nil), options.content?.begin(found) ?? true { return }
    let what = isBinary ? "binary records" : "lines"
    throw SinkError(
      target: segment.path, operation: "spool",
      refusal: "it holds \(what) of an earlier run, which don't go where this one writes")
  }
}
