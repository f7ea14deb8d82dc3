import Glibc
import Platform
import Synchronization

/// The part of a spool that lies on disk: a directory with files of frames.
///
/// The thread that moves blocks out of memory appends; the consumer reads and releases. The two share the set
/// of files.
package final class SpoolDisk: Sendable {
  /// A block of entries on disk.
  package struct StoredFrame {
    let file: SpoolFile
    let offset: Int
    let frame: SpoolFrame
    /// The entries of the frame that an earlier run has delivered.
    var delivered = Tally.zero

    /// The entries of the frame that are still to be delivered.
    var rest: Tally { frame.tally - delivered }
  }

  let options: Spool.DiskOptions
  let system: SystemCalls
  let cursor: SpoolCursor
  let shelf = Guarded(Shelf())
  let usedBytes = Atomic<Int>(0)
  /// The sequence behind the last entry that was ever written here.
  let writtenEnd = Atomic<Int>(0)
  /// The sequence in front of which every entry was delivered, or is lost; and the one noted on disk, which
  /// only the consumer reads.
  let deliveredEnd = Atomic<Int>(0), notedEnd = Atomic<Int>(-1)

  /// The files that exist.
  struct Shelf {
    /// The file that is appended to.
    var active: SpoolFile?
    /// How many frames of each file are still needed, by the file's number.
    var frameCounts: [Int: Int] = [:]
    var nextNumber = 1
  }

  /// Claims a directory, and makes it if there is none.
  init(_ options: Spool.DiskOptions, system: SystemCalls) throws(SystemError) {
    self.options = options
    self.system = system
    try SpoolOwnership.makeDirectory(options.directory, system)
    cursor = try SpoolCursor.open(in: options.directory, system: system)
  }

  /// How many bytes the files have.
  package var byteCount: Int { usedBytes.load(ordering: .sequentiallyConsistent) }

  /// When a file has grown to this size, a new one is begun, so that the disk gets back the room of delivered
  /// entries.
  private var fileBytesMax: Int { min(64 << 20, max(64 << 10, options.limitBytes / 16)) }

  // MARK: Writing

  /// Puts the entries of a block on disk.
  ///
  /// - Throws: `SystemError`, with `EDQUOT` if the limit would be exceeded.
  func append(_ block: SpoolBlock) throws(SystemError) -> StoredFrame {
    let body = block.body
    let frame = SpoolFrame(body, firstSequence: block.firstSequence)
    guard byteCount + SpoolFile.headerBytes + frame.paddedByteCount <= options.limitBytes else {
      throw SystemError(operation: "spool", path: options.directory, errno: Errno(EDQUOT))
    }
    let file = try fileForAppending()
    let offset: Int
    do {
      offset = try file.append(frame, body)
    } catch {
      shelf.withLock { removeFrame(of: file, &$0) }
      throw error
    }
    usedBytes.add(frame.paddedByteCount, ordering: .sequentiallyConsistent)
    // If the disk is damaged, the missing entries can be counted by this number alone.
    let end = writtenEnd.max(frame.endSequence, ordering: .sequentiallyConsistent).newValue
    try? cursor.set(.written, to: end)
    FaultPoint.spoolFrameNoted.pass()
    return StoredFrame(file: file, offset: offset, frame: frame)
  }

  /// The file for the next frame, whose frame count is increased, so that the file stays.
  private func fileForAppending() throws(SystemError) -> SpoolFile {
    let active = shelf.withLock { shelf -> SpoolFile? in
      guard let active = shelf.active, active.byteCount < fileBytesMax else { return nil }
      shelf.frameCounts[active.number, default: 0] += 1
      return active
    }
    guard let active else { return try beginFile() }
    if active.isInPlace { return active }
    // The file was removed. Its frames can still be read; new frames go to a file that another run can find.
    shelf.withLock { $0.frameCounts[active.number, default: 1] -= 1 }
    return try beginFile()
  }

  private func beginFile() throws(SystemError) -> SpoolFile {
    // From here on the consumer notes what it delivers, and what it delivered before is noted now.
    usedBytes.add(SpoolFile.headerBytes, ordering: .sequentiallyConsistent)
    let number = shelf.withLock { $0.nextNumber }
    let file: SpoolFile
    do {
      try SpoolOwnership.makeDirectory(options.directory, system)
      try cursor.restore()
      try cursor.set(.begun, to: deliveredEnd.load(ordering: .sequentiallyConsistent))
      noteLineage()
      file = try SpoolFile(
        creating: number, in: options.directory, kind: kind, lineage: options.lineage, system: system)
    } catch {
      usedBytes.subtract(SpoolFile.headerBytes, ordering: .sequentiallyConsistent)
      if error.code == EEXIST { shelf.withLock { $0.nextNumber += 1 } }
      throw error
    }
    shelf.withLock { shelf in
      let former = shelf.active
      shelf.nextNumber = number + 1
      shelf.active = file
      shelf.frameCounts[number] = 1
      if let former, shelf.frameCounts[former.number] ?? 0 == 0 { discard(former, &shelf) }
    }
    return file
  }

  // MARK: Reading

  /// Releases a frame that isn't needed any more.
  func release(_ stored: StoredFrame) {
    shelf.withLock { removeFrame(of: stored.file, &$0) }
  }

  /// Decreases a file's frame count; even the file that is appended to is replaced once none of its frames is
  /// needed.
  private func removeFrame(of file: SpoolFile, _ shelf: inout Shelf) {
    let count = (shelf.frameCounts[file.number] ?? 1) - 1
    shelf.frameCounts[file.number] = count
    if count == 0 { discard(file, &shelf) }
  }

  func discard(_ file: SpoolFile, _ shelf: inout Shelf) {
    shelf.frameCounts[file.number] = nil
    if shelf.active === file { shelf.active = nil }
    usedBytes.subtract(file.byteCount, ordering: .sequentiallyConsistent)
    file.remove()
  }

  // MARK: Noting

  /// Notes the checkpoint whose sequences are used in the directory from now on, once the checkpoint has the
  /// new ones.
  func noteLineage() { try? cursor.set(.lineage, to: lineageNumber) }

  /// A checkpoint's number, cut to the bits that there is room for.
  var lineageNumber: Int { Int(options.lineage & (1 << 62 - 1)) }

  /// Notes the sequence up to which entries were delivered, unless nothing could be delivered twice.
  func note(delivered sequence: Int) throws(SystemError) {
    deliveredEnd.store(sequence, ordering: .sequentiallyConsistent)
    guard byteCount > 0 || isBehind, notedEnd.load(ordering: .relaxed) != sequence else { return }
    FaultPoint.spoolDelivered.pass()
    try noteOnDisk(sequence)
    FaultPoint.spoolDeliveryNoted.pass()
  }

  /// Notes the same at the end, and makes the note and these files outlive a power cut.
  func noteFinally(delivered sequence: Int, keeping files: [SpoolFile]) throws(SystemError) {
    // If the cursor file was removed and no entries are kept, there is nothing to note.
    guard !files.isEmpty || isBehind && cursor.isInPlace else { return }
    try cursor.restore()
    FaultPoint.spoolKept.pass()
    try noteOnDisk(sequence)
    FaultPoint.spoolKeptNoted.pass()
    for file in files { try file.synchronize() }
    try cursor.synchronize()
    do {
      try system.synchronize(directory: options.directory)
    } catch {
      throw SystemError(operation: "fsync", path: options.directory, errno: error)
    }
    FaultPoint.spoolKeptSynced.pass()
  }

  /// Whether the next run would look for entries that had been written, and not find them.
  private var isBehind: Bool {
    notedEnd.load(ordering: .relaxed) < writtenEnd.load(ordering: .sequentiallyConsistent)
  }

  private func noteOnDisk(_ sequence: Int) throws(SystemError) {
    try cursor.set(.delivered, to: sequence)
    notedEnd.store(sequence, ordering: .relaxed)
  }

  /// The kind of the entries, as it is stored in a file: 0 for lines.
  private var kind: UInt64 {
    guard let kind = options.content.binary?.current else { return 0 }
    return UInt64(kind.marker) | UInt64(kind.variant) << 32 | 1 << 63
  }
}
