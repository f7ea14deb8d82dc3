import Platform
import Glibc
import Synchronization

/// What an earlier run has left.
extension SpoolDisk {
  /// What is found at the beginning.
  struct Heritage {
    /// Frames with entries that were not delivered, the oldest first.
    var frames: [StoredFrame] = []
    /// In front of which entry everything was delivered, or is lost.
    var delivered = 0
    /// The number of the first entry that is new.
    var endSequence = 0
    /// Behind the marks of all of them that have some.
    var endMark = EntryMark.start
    /// How many entries should be there, by their numbers, and are not.
    var missingEntries = 0
    /// The same for those at the end, if the log may have them still.
    var cutEntries = 0

    /// What is to be delivered.
    var tally: Tally { frames.reduce(.zero) { $0 + $1.rest } }
  }

  /// Looks through all files; for the beginning, before any other thread uses the disk.
  func inherit() throws(SystemError) -> Heritage {
    let noted = try cursor.value(of: .delivered)
    let begun = try cursor.value(of: .begun)
    var written = try cursor.value(of: .written) ?? 0
    let files = try openFiles()
    var stored: [StoredFrame] = []
    for file in files {
      stored += try file.frames().map { StoredFrame(file: file, offset: $0.offset, frame: $0.frame) }
    }
    // What an ending run has put away last may be older than what was on disk already.
    stored.sort { $0.frame.firstSequence < $1.frame.firstSequence }
    var heritage = Heritage()
    var image = SpoolImage()
    // Without that run, numbers may have begun anew.
    let settled = try cursor.value(of: .lineage) == lineageNumber ? options.settledThrough : nil
    var expected =
      [noted, begun, settled].compactMap { $0 }.max() ?? stored.first?.frame.firstSequence ?? 0
    for var frame in stored where frame.frame.endSequence > expected {
      // Entries that were written once more, as it wasn't known whether that would be needed, are there twice.
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

  /// Whether all entries of a frame come again, as the log is read once more from a place in front of them; not if it is
  /// damaged, as then it can't be told.
  private func comesAgain(_ stored: StoredFrame, _ image: inout SpoolImage) throws(SystemError) -> Bool {
    guard let mark = options.repeatedFrom, hasMarks(stored), let block = try image.load(stored) else {
      return false
    }
    return block.mark(ofEntry: 0) >= mark
  }

  /// Makes frames none that come again, in front of which others do that are not there.
  ///
  /// Their numbers are given to other entries. So what was written counts as not written first: a kill in between
  /// leaves frames that are dropped by the next run.
  private func drop(_ frames: [StoredFrame], endingAt sequence: Int) throws(SystemError) {
    try cursor.set(.written, to: sequence)
    FaultPoint.spoolGapNoted.pass()
    for stored in frames.reversed() {
      try stored.file.invalidate(at: stored.offset)
      FaultPoint.spoolFrameDropped.pass()
    }
  }

  /// Whether a frame's marks mean the same as those of this run.
  private func hasMarks(_ stored: StoredFrame) -> Bool {
    options.lineage != 0 && stored.file.header.lineage == options.lineage
  }

  /// Behind the mark of the last entry that is whole, and whose mark means something to this run.
  private func endMark(of frames: [StoredFrame], _ image: inout SpoolImage) throws(SystemError) -> EntryMark {
    for stored in frames.reversed() where hasMarks(stored) {
      guard let block = try image.load(stored) else { continue }
      let last = block.mark(ofEntry: stored.frame.entryCount - 1)
      return last == .start ? .start : last.next
    }
    return .start
  }

  /// Removes those in which nothing is needed any more.
  private func keep(_ files: [SpoolFile], for frames: [StoredFrame]) {
    shelf.withLock { shelf in
      for frame in frames { shelf.frameCounts[frame.file.number, default: 0] += 1 }
      for file in files where shelf.frameCounts[file.number] == nil { discard(file, &shelf) }
    }
  }

  /// The files that are ours; what else bears such a name is left alone.
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

  /// Makes sure that a file's entries are such as this run's.
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
