@testable import Checkpoints
import Glibc
@testable import Platform
@testable import Shipping
@testable import Spool

/// An endless log whose entries are identified by their numbers, three at each place.
enum EndlessLog {
  static func mark(of number: Int) -> EntryMark {
    EntryMark(place: UInt64(number / 3 + 1) * 100, ordinal: UInt32(number % 3))
  }

  static func entry(_ number: Int) -> ModelEntry {
    ModelEntry(identifier: number, size: number % 97 == 50 ? 5000 : 20 + number * 37 % 300)
  }

  /// The first entry that isn't complete in front of a place.
  static func number(behind place: UInt64) -> Int { Int(place / 100) * 3 }
}

/// Everything that survives a kill: a spool's directory, a checkpoint, and the output's file.
final class ResumedPlaces {
  let home: TemporaryDirectory
  let spool: TemporaryDirectory

  init() {
    home = TemporaryDirectory(isInMemory: true)
    spool = TemporaryDirectory(isInMemory: true)
  }

  /// Refers to the places of another process.
  init(home: String, spool: String) {
    self.home = TemporaryDirectory(of: home)
    self.spool = TemporaryDirectory(of: spool)
  }

  /// A copy of the present state at another path.
  func copy() -> ResumedPlaces {
    let copy = ResumedPlaces()
    for name in home.names { copy.home.write(name, home.bytes(name)) }
    for name in spool.names { copy.spool.write(name, spool.bytes(name)) }
    for name in copy.spool.names { chmod(copy.spool.file(name), 0o600) }
    return copy
  }

  /// Damages one of the two copies of the output's part in the checkpoint.
  func damageCheckpoint(copy: Int) {
    var bytes = home.bytes("checkpoint")
    let offset = CheckpointLayout.outputsOffset + copy * CheckpointLayout.outputCopyBytes
    guard bytes.count > offset + 40 else { return }
    bytes[offset + 40] ^= 4
    home.write("checkpoint", bytes)
  }
}

/// A reader of a log, a spool and an output under a checkpoint, step by step in one thread.
///
/// The reader forgets a part of the log once all entries made from it are settled or on disk. When a run
/// begins, the file is cut back to the checkpoint, and entries from the part that the reader hasn't forgotten
/// are made again, except those that are done.
final class ResumedRun {
  /// The way in which the output is written.
  enum Kind: CaseIterable {
    /// Each entry at once.
    case plain
    /// In members, for which entries wait in memory.
    case members
  }

  let spool: Spool
  private var writer: SpoolWriter
  private var reader: SpoolReader
  private var spiller: Spiller
  private let journal: OutputJournal
  private let part: ReadingPart
  private var standing: ReadingStanding
  private let kind: Kind
  private let system: SystemCalls
  private let file: CheckpointFile
  private let output: Int32
  private let identity: FileIdentity
  private var length = 0
  /// The entries that wait for their member to be complete.
  private var member: EntryRun?
  /// The mark in front of which no entry has to be made again.
  private let done: EntryMark
  /// The next entry of the log.
  private(set) var next: Int
  /// The place up to which the reader would like to forget, and the entry that has to be settled before.
  private var candidate: (place: UInt64, sequence: Int)?
  private var isProducing = false
  let warnings = Collected<String>()

  init(
    _ places: ResumedPlaces, _ kind: Kind, memoryBlocks: Int = 100, diskBytes: Int = 1 << 30,
    canRepeat: Bool = true,
    _ system: SystemCalls = .real
  ) throws {
    self.kind = kind
    self.system = system
    file = try CheckpointFile(places.home.file("checkpoint"))
    standing = file.earlier?.reading ?? ReadingStanding()
    part = file.makeReadingPart()
    output = open(places.home.file("out"), O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    identity = FileIdentity(device: 1, inode: 1)
    var former =
      file.earlier?.standing(of: "out", sinceBoot: CheckpointFile.presentBoot) ?? OutputStanding()
    let size = Int(lseek(output, 0, SEEK_END))
    length = former.place?.byteCount ?? 0
    if let pending = former.pending, size >= pending.byteCount {
      (former.done, former.sequence) = (pending.done, pending.sequence)
      length = pending.byteCount
    }
    guard size >= length else { throw ModelFailure("\(size) bytes of \(length) are there") }
    ftruncate(output, off_t(length))
    former.place = OutputPlace(file: identity, number: 0, byteCount: length)

    let warnings = warnings
    var disk = Spool.DiskOptions(directory: places.spool.path, limitBytes: diskBytes) { warnings.append($0) }
    disk.keepsUp = true
    disk.lineage = file.identity
    disk.settledThrough = former.sequence
    disk.repeatedFrom =
      canRepeat ? max(former.done, EntryMark(place: standing.resumption, ordinal: .max)) : nil
    spool = try Spool(
      Spool.Options(
        limitBytes: memoryBlocks * LiveSpool.blockBytes, blockBytes: LiveSpool.blockBytes, disk: disk),
      system: system)
    done = max(former.done, spool.inheritedEnd)
    journal = OutputJournal(
      try file.makeOutputPart("out"), from: former, startingAt: spool.startSequence)
    spool.disk?.noteLineage()
    writer = spool.makeWriter()
    reader = spool.makeReader()
    spiller = Spiller(spool, ThreadEnd())
    next = EndlessLog.number(behind: standing.resumption)
  }

  deinit { close(output) }

  // MARK: The reader of the log

  /// Reads on in the log; nothing if there is no room.
  func produce(_ count: Int) {
    // A test acts in the middle of a system call, which may be one of the producer's.
    if isProducing { return }
    isProducing = true
    defer { isProducing = false }
    for _ in 0..<count {
      let mark = EndlessLog.mark(of: next)
      if mark >= done {
        let entry = EndlessLog.entry(next)
        guard case .room(let room) = writer.reserve(entry.size) else { break }
        room.copyBytes(from: entry.bytes)
        writer.commit(entry.size, mark)
      }
      next += 1
    }
    writer.publish()
  }

  /// The entry of the spool in front of which none has to be made again.
  var settledThrough: Int { max(journal.settledThrough, spool.storedThrough) }

  var endSequence: Int { writer.nextSequence }

  /// Forgets the part of the log that needn't be read again.
  func forget() {
    if let candidate, settledThrough >= candidate.sequence {
      standing.resumption = candidate.place
      part.note(standing)
      self.candidate = nil
    }
    guard candidate == nil, next % 3 == 0, next > 0 else { return }
    candidate = (EndlessLog.mark(of: next - 1).place, writer.nextSequence)
  }

  // MARK: The output

  /// Has the output take at most `count` bytes of whole entries.
  ///
  /// - Returns: false if there was nothing to take.
  @discardableResult
  func deliver(_ byteCount: Int) throws -> Bool {
    guard let offered = try reader.next() else { return false }
    let batch = offered.prefix(offered.entryCount(reaching: byteCount))
    journal.begin(offered)
    switch kind {
    case .plain: try write(Array(batch.bytes), through: batch.start.sequence + batch.count)
    case .members:
      if member?.append(batch) != true {
        try flush()
        member = EntryRun(firstSequence: batch.start.sequence, entries: EntryList(bytes: [], ends: []))
        _ = member?.append(batch)
      }
    }
    reader.take(batch.byteCount)
    journal.end(at: reader.place.sequence)
    if let member, member.entries.bytes.count > 1500 { try flush() }
    takeOver()
    return true
  }

  /// Completes the member.
  func flush() throws {
    guard let member else { return }
    try write(member.entries.bytes, through: member.endSequence)
    self.member = nil
  }

  private func write(_ bytes: [UInt8], through sequence: Int) throws {
    let end = length + bytes.count
    journal.willWrite(
      through: sequence, upTo: OutputPlace(file: identity, number: 0, byteCount: end))
    let middle = bytes.count / 2
    try system.writeFully(output, Array(bytes[..<middle]), at: length)
    try system.writeFully(output, Array(bytes[middle...]), at: length + middle)
    length = end
  }

  /// Takes over the sink's state, as the output's thread does after each call of its sink.
  func takeOver() {
    let settled = member?.firstSequence
    journal.settle(
      through: settled ?? reader.place.sequence,
      at: OutputPlace(file: identity, number: 0, byteCount: length))
    reader.settle(through: settled, noted: journal.settledThrough)
    try? reader.noteDelivered()
  }

  /// Notes the state, as the output's thread does before it sleeps.
  func rest() {
    guard journal.rest() else { return }
    reader.settle(noted: journal.settledThrough)
    try? reader.noteDelivered()
  }

  // MARK: The disk

  /// Stores entries that have waited for long, if the consumer hasn't taken them.
  func keepUp(before sequence: Int) throws {
    try quotaAllowing { () throws(SystemError) in try spiller.storeWaiting(before: sequence) }
  }

  /// Moves a block to disk, as when memory is short.
  func spill() throws { try quotaAllowing { () throws(SystemError) in _ = try spiller.spillOne() } }

  /// - Returns: whether there was room.
  @discardableResult
  private func quotaAllowing(_ body: () throws(SystemError) -> Void) throws -> Bool {
    do throws(SystemError) {
      try body()
      return true
    } catch {
      guard error.code == EDQUOT else { throw error }
      return false
    }
  }

  // MARK: The end

  /// Takes everything that is left, and ends.
  func drain() throws {
    writer.publish()
    while try deliver(.max) {}
    try flush()
    takeOver()
    rest()
    while try reader.next() != nil {}
    takeOver()
  }

  /// Ends while the consumer takes nothing any more.
  func end() throws {
    writer.finish()
    takeOver()
    rest()
    try quotaAllowing { () throws(SystemError) in
      try reader.keepRest(member.map { [$0] } ?? [])
    }
    forget()
    forget()
  }

  /// The numbers of the entries in the output's file.
  static func numbers(_ places: ResumedPlaces) throws -> [Int] {
    var numbers: [Int] = []
    let bytes = places.home.bytes("out")
    var start = 0
    for index in bytes.indices where bytes[index] == ModelEntry.terminator {
      guard let entry = ModelEntry(Array(bytes[start...index])) else {
        throw ModelFailure("torn at byte \(start)")
      }
      numbers.append(entry.identifier)
      start = index + 1
    }
    guard start == bytes.count else { throw ModelFailure("torn at the end") }
    return numbers
  }
}
