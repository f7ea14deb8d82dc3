import Platform
import Glibc
import Synchronization

/// Takes over what an earlier run has left.
extension SpoolDisk {
  /// The entries that are found at the beginning.
  struct Heritage {
    /// Frames with entries that were not delivered, the oldest first.
    var frames: [StoredFrame] = []
    /// The sequence in front of which every entry was delivered, or is lost.
    var delivered = 0
    /// The sequence of the first new entry.
    var endSequence = 0
    /// The mark behind those of all found entries that belong to this run's checkpoint.
    var endMark = EntryMark.start
    /// How many entries are missing, by the sequences.
    var missingEntries = 0
    /// How many entries are missing at the end that the log may still have.
    var cutEntries = 0

    /// The tally of the entries to be delivered.
    var tally: Tally { frames.reduce(.zero) { $0 + $1.rest } }
  }

  /// Reads all files; called at the beginning, before any other thread uses the disk.
  func inherit() throws(SystemError) -> Heritage {
    let noted = try cursor.value(of: .delivered)
    let begun = try cursor.value(of: .begun)
    var written = try cursor.value(of: .written) ?? 0
    let files = try openFiles()
    var stored: [StoredFrame] = []
    for file in files {
      stored += try file.frames().map { StoredFrame(file: file, offset: $0.offset, frame: $0.frame) }
    }
    // Entries that an ending run has put away last may be older than those that were on disk already.
    stored.sort { $0.frame.firstSequence < $1.frame.firstSequence }
    var heritage = Heritage()
    var image = SpoolImage()
    // Another run in between may have begun its sequences anew.
    let settled = try cursor.value(of: .lineage) == lineageNumber ? options.settledThrough : nil
    var expected =
      [noted, begun, settled].compactMap { $0 }.max() ?? stored.first?.frame.firstSequence ?? 0
    for var frame in stored where frame.frame.endSequence > expected {
      // Entries that were written a second time, as it wasn't known whether that would be needed, are on disk
      // twice.
      guard frame.frame.firstSequence >= expected || heritage.frames.isEmpty else { continue }
      if frame.frame.firstSequence > expected, try comesAgain(frame, &image) {
        try drop(stored.filter { $0.frame.endSequence > expected }, endingAt: expected)
        written = expected
        break
      }
      heritage.missingEntries += max(0, frame.frame.firstSequence - expected)
      let count = max(0, expected - frame.frame.firstSequence)
      frame.delivered = Tally(
        entries: count,
        bytes: try frame.file.byteCount(ofFirst: count, in: frame.frame, at: frame.offset))
      if heritage.frames.isEmpty { heritage.delivered = frame.frame.firstSequence + count }
      expected = frame.frame.endSequence
      heritage.frames.append(frame)
    }
    let cut = max(0, written - expected)
    if options.repeatedFrom == nil { heritage.missingEntries += cut } else { heritage.cutEntries = cut }
    heritage.endSequence = max(expected, written)
    heritage.endMark = try endMark(of: heritage.frames, &image)
    if heritage.frames.isEmpty { heritage.delivered = heritage.endSequence }
    deliveredEnd.store(heritage.delivered, ordering: .relaxed)
    notedEnd.store(noted ?? -1, ordering: .relaxed)
    writtenEnd.store(written, ordering: .relaxed)
    keep(files, for: heritage.frames)
    return heritage
  }

  /// Whether all entries of a frame are rendered again, as the log is read once more from a place in front of
  /// them; false for a damaged frame, where that can't be told.
  private func comesAgain(_ stored: StoredFrame, _ image: inout SpoolImage) throws(SystemError) -> Bool {
    guard let mark = options.repeatedFrom, hasMarks(stored), let block = try image.load(stored) else {
      return false
    }
    return block.mark(ofEntry: 0) >= mark
  }

  /// Invalidates frames behind a gap, all of whose entries are rendered again.
  ///
  /// Their sequences are given to other entries. So the written sequence is lowered first: after a kill in
  /// between, the next run drops the frames that are left.
  private func drop(_ frames: [StoredFrame], endingAt sequence: Int) throws(SystemError) {
    try cursor.set(.written, to: sequence)
    FaultPoint.spoolGapNoted.pass()
    for stored in frames.reversed() {
      try stored.file.invalidate(at: stored.offset)
      FaultPoint.spoolFrameDropped.pass()
    }
  }

  /// Whether a frame's marks belong to this run's checkpoint.
  private func hasMarks(_ stored: StoredFrame) -> Bool {
    options.lineage != 0 && stored.file.header.lineage == options.lineage
  }

  /// The mark behind the last whole entry whose mark belongs to this run's checkpoint.
  private func endMark(of frames: [StoredFrame], _ image: inout SpoolImage) throws(SystemError) -> EntryMark {
    for stored in frames.reversed() where hasMarks(stored) {
      guard let block = try image.load(stored) else { continue }
      let last = block.mark(ofEntry: stored.frame.entryCount - 1)
      return last == .start ? .start : last.next
    }
    return .start
  }

  /// Keeps the files that have needed frames, and removes the others.
  private func keep(_ files: [SpoolFile], for frames: [StoredFrame]) {
    shelf.withLock { shelf in
      for frame in frames { shelf.frameCounts[frame.file.number, default: 0] += 1 }
      for file in files where shelf.frameCounts[file.number] == nil { discard(file, &shelf) }
    }
  }

  /// Opens the files that are ours; any other file with such a name is left alone.
  private func openFiles() throws(SystemError) -> [SpoolFile] {
    var files: [SpoolFile] = []
    for number in try fileNumbers() {
      shelf.withLock { $0.nextNumber = max($0.nextNumber, number + 1) }
      let path = options.directory + "/" + SpoolFile.fileName(number)
      switch try SpoolFile.find(number, in: options.directory, system: system) {
      case .found(let file):
        try check(file)
        usedBytes.add(file.byteCount, ordering: .relaxed)
        files.append(file)
      case .stub: try? system.unlink(path)
      case .foreign: options.warn("\(path): no file of a spool, or damaged; it is left alone")
      }
    }
    return files
  }

  private func fileNumbers() throws(SystemError) -> [Int] {
    do {
      return try system.names(inDirectory: options.directory).compactMap(SpoolFile.number).sorted()
    } catch {
      throw SystemError(operation: "list", path: options.directory, errno: error)
    }
  }

  /// Makes sure that a file's entries are of this run's kind.
  private func check(_ file: SpoolFile) throws(SystemError) {
    let kind = file.header.kind
    let isBinary = kind != 0
    let found = BinaryKind(
      marker: UInt32(truncatingIfNeeded: kind), variant: UInt8(truncatingIfNeeded: kind >> 32))
    let content = options.content.binary
    if isBinary == (content != nil), content?.begin(found) ?? true { return }
    let what = isBinary ? "binary records" : "lines"
    throw SystemError(
      operation: "spool", path: file.path,
      problem: "it holds \(what) of an earlier run, which don't go where this one writes")
  }
}
