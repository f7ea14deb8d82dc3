import Glibc
import Synchronization

/// The part of a spool that lies on disk: a directory with files of frames.
///
/// One thread appends, the one that moves blocks out of memory; one reads and releases, the consumer. What
/// they share is which files there are.
final class SpoolDisk: Sendable {
  /// A block of records on disk.
  struct StoredFrame {
    let segment: SpoolSegment
    let offset: Int
    let frame: SpoolFrame
  }

  let options: Spool.DiskOptions
  private let system: SystemCalls
  private let cursor: SpoolCursor
  private let usedBytes = Atomic<Int>(0)
  private let writtenEnd = Atomic<Int>(0)
  private let shelf = Mutex(Shelf())

  /// Which files there are.
  private struct Shelf {
    /// The file that is appended to.
    var active: SpoolSegment?
    /// How many frames of each file are still needed, by the file's number.
    var frameCounts: [Int: Int] = [:]
    var nextNumber = 1
  }

  /// Claims a directory, which is made if there is none.
  init(_ options: Spool.DiskOptions, system: SystemCalls) throws(SinkError) {
    self.options = options
    self.system = system
    do {
      try system.makeDirectory(options.directory)
    } catch {
      throw SinkError(target: options.directory, operation: "mkdir", errno: error)
    }
    cursor = try SpoolCursor.open(in: options.directory, system: system)
  }

  /// How many bytes the files have.
  var byteCount: Int { usedBytes.load(ordering: .relaxed) }

  /// A file is begun anew when it has grown to this size, so that the disk gets back what was delivered.
  private var segmentBytesMax: Int { min(64 << 20, max(1 << 20, options.limitBytes / 16)) }

  // MARK: Writing

  /// Whether a frame of so many bytes would be too much.
  func isFull(for frame: SpoolFrame) -> Bool { byteCount + frame.paddedByteCount > options.limitBytes }

  /// Puts the records of a block on disk.
  func append(_ frame: SpoolFrame, _ body: SpoolFrame.Body) throws(SinkError) -> StoredFrame {
    let segment = try segmentForAppending()
    let offset: Int
    do {
      offset = try segment.append(frame, body)
    } catch {
      shelf.withLock { $0.frameCounts[segment.number, default: 1] -= 1 }
      throw error
    }
    usedBytes.add(frame.paddedByteCount, ordering: .relaxed)
    // What is missing should the disk be damaged can be counted by this number alone.
    let end = writtenEnd.max(frame.endSequence, ordering: .relaxed).newValue
    try? cursor.set(.written, to: end)
    return StoredFrame(segment: segment, offset: offset, frame: frame)
  }

  /// The file that the next frame goes to, with one frame more to its count, so that it stays.
  private func segmentForAppending() throws(SinkError) -> SpoolSegment {
    let (active, number) = shelf.withLock { shelf -> (SpoolSegment?, Int) in
      if let active = shelf.active, active.byteCount < segmentBytesMax {
        shelf.frameCounts[active.number, default: 0] += 1
        return (active, 0)
      }
      shelf.nextNumber += 1
      return (nil, shelf.nextNumber - 1)
    }
    if let active { return active }
    let segment = try SpoolSegment(
      creating: number, in: options.directory, kind: kind, system: system)
    usedBytes.add(segment.byteCount, ordering: .relaxed)
    shelf.withLock { shelf in
      let former = shelf.active
      shelf.active = segment
      shelf.frameCounts[number] = 1
      if let former, shelf.frameCounts[former.number] ?? 0 == 0 { discard(former, &shelf) }
    }
    return segment
  }

  /// Makes everything outlive a power cut.
  func synchronize(_ segments: [SpoolSegment]) throws(SinkError) {
    for segment in segments { try segment.synchronize() }
    try cursor.synchronize()
    do {
      try system.synchronize(directory: options.directory)
    } catch {
      throw SinkError(target: options.directory, operation: "fsync", errno: error)
    }
  }

  // MARK: Reading

  /// Says that a frame isn't needed any more.
  func release(_ stored: StoredFrame) {
    shelf.withLock { shelf in
      let count = (shelf.frameCounts[stored.segment.number] ?? 1) - 1
      shelf.frameCounts[stored.segment.number] = count
      // The one that is appended to is begun anew once nothing of it is needed.
      if count == 0 { discard(stored.segment, &shelf) }
    }
  }

  private func discard(_ segment: SpoolSegment, _ shelf: inout Shelf) {
    shelf.frameCounts[segment.number] = nil
    if shelf.active === segment { shelf.active = nil }
    usedBytes.subtract(segment.byteCount, ordering: .relaxed)
    segment.remove()
  }

  /// Notes up to where records were delivered; without files there is nothing that could be delivered twice.
  func note(delivered sequence: Int) throws(SinkError) {
    if byteCount > 0 { try cursor.set(.delivered, to: sequence) }
  }

  /// The same, whatever there is.
  func note(finallyDelivered sequence: Int) throws(SinkError) { try cursor.set(.delivered, to: sequence) }

  /// What records are, as it stands in a file: 0 for lines.
  private var kind: UInt64 {
    guard let kind = options.content?.current else { return 0 }
    return UInt64(kind.marker) | UInt64(kind.variant) << 32 | 1 << 63
  }
}

// MARK: - What an earlier run has left

extension SpoolDisk {
  /// What is found at the beginning.
  struct Heritage {
    /// Frames with records that were not delivered, the oldest first.
    var frames: [StoredFrame] = []
    /// In front of which record everything was delivered; it may be one in the middle of the first frame.
    var delivered = 0
    /// The number of the first record that is new.
    var endSequence = 0
    /// How many records should be there, by their numbers, and are not.
    var missingRecords = 0

    /// What is to be delivered.
    var tally: Tally { frames.reduce(.zero) { $0 + $1.frame.tally(behind: delivered) } }
  }

  /// Looks through all files; for the beginning, when nobody else does anything.
  ///
  /// Damage is passed over, up to the next whole header; whether the records are whole shows when they are read.
  func inherit() throws(SinkError) -> Heritage {
    var heritage = Heritage()
    let delivered = try cursor.value(of: .delivered)
    let written = try cursor.value(of: .written)
    var stored: [StoredFrame] = []
    let segments = try openSegments()
    for segment in segments { stored += try frames(of: segment) }
    // What an ending run has put away last may be older than what was on disk already.
    stored.sort { $0.frame.firstSequence < $1.frame.firstSequence }
    var expected = delivered ?? stored.first?.frame.firstSequence ?? 0
    heritage.delivered = expected
    for frame in stored where frame.frame.endSequence > expected {
      // Records that are there twice would be delivered twice; this can only be a forgery.
      guard frame.frame.firstSequence >= expected || heritage.frames.isEmpty else { continue }
      heritage.missingRecords += max(0, frame.frame.firstSequence - expected)
      expected = frame.frame.endSequence
      heritage.frames.append(frame)
    }
    heritage.missingRecords += max(0, (written ?? 0) - expected)
    heritage.endSequence = max(expected, written ?? 0)
    shelf.withLock { shelf in
      for frame in heritage.frames { shelf.frameCounts[frame.segment.number, default: 0] += 1 }
    }
    shelf.withLock { shelf in
      for segment in segments where shelf.frameCounts[segment.number] ?? 0 == 0 { discard(segment, &shelf) }
    }
    return heritage
  }

  /// The files that are ours; what else bears such a name is left alone.
  private func openSegments() throws(SinkError) -> [SpoolSegment] {
    var segments: [SpoolSegment] = []
    for number in try segmentNumbers() {
      shelf.withLock { $0.nextNumber = max($0.nextNumber, number + 1) }
      let segment = try SpoolSegment(opening: number, in: options.directory, system: system)
      if segment.byteCount < SpoolSegment.headerBytes {
        // A kill has come in between.
        segment.remove()
      } else if let kind = try segment.kind() {
        try check(kind, of: segment)
        usedBytes.add(segment.byteCount, ordering: .relaxed)
        segments.append(segment)
      }
    }
    return segments
  }

  private func segmentNumbers() throws(SinkError) -> [Int] {
    do {
      return try system.names(inDirectory: options.directory).compactMap(SpoolSegment.number).sorted()
    } catch {
      throw SinkError(target: options.directory, operation: "list", errno: error)
    }
  }

  /// Makes sure that a file's records are such as this run's.
  private func check(_ kind: UInt64, of segment: SpoolSegment) throws(SinkError) {
    let isBinary = kind != 0
    let found = BinaryContent.Kind(
      marker: UInt32(truncatingIfNeeded: kind), variant: UInt8(truncatingIfNeeded: kind >> 32))
    if isBinary == (options.content != nil), options.content?.begin(found) ?? true { return }
    let what = isBinary ? "binary records" : "lines"
    throw SinkError(
      target: segment.path, operation: "spool",
      refusal: "it holds \(what) of an earlier run, which don't go where this one writes")
  }

  private func frames(of segment: SpoolSegment) throws(SinkError) -> [StoredFrame] {
    var frames: [StoredFrame] = []
    var offset = SpoolSegment.headerBytes
    while offset + SpoolFrame.byteCount <= segment.byteCount {
      if let frame = try segment.frame(at: offset),
        offset + SpoolFrame.byteCount + frame.bodyByteCount <= segment.byteCount
      {
        frames.append(StoredFrame(segment: segment, offset: offset, frame: frame))
        offset += frame.paddedByteCount
      } else {
        offset += SpoolFrame.alignment
      }
    }
    return frames
  }
}
