import Compression
import Platform
import Spool

/// Fills one gzip member or zstd frame after the other, and writes each once it is complete.
final class MemberWriter {
  /// How long an entry may wait in memory for its member to fill.
  ///
  /// A second is promised; the difference is for the thread to wake and write.
  static let nanosecondsMax: Int64 = 900_000_000
  /// How many bytes of entries go into one member.
  static let byteCountMax = 1 << 20

  private enum State {
    case empty
    /// The member has entries from this place on, and is to be written when the steady clock reaches the
    /// deadline.
    case filling(from: SpoolPlace, deadline: Int64)
    /// No entry is added to the member any more; writing it may have failed.
    case complete(from: SpoolPlace)
  }

  /// The same for the first member of a run that continues a checkpoint: even where runs are killed again and
  /// again, each is to get on.
  static let nanosecondsMin: Int64 = 25_000_000

  /// The format of the members.
  let format: CompressionFormat
  private var member: Member
  private var state = State.empty
  /// How long an entry waits at present.
  private var patience = MemberWriter.nanosecondsMax
  /// The sequence behind the last entry in the member.
  private(set) var endSequence = 0
  /// The entries in the member, if the options ask for keeping them.
  private let unsettled: UnsettledEntries?

  /// - Parameter path: the path of the file, for messages.
  init(_ method: CompressionMethod, path: String, unsettled: UnsettledEntries?) throws(SystemError) {
    self.unsettled = unsettled
    format = method.format
    do {
      member = try Member(method, usualByteCount: Self.byteCountMax + 64 << 10)
    } catch {
      throw SystemError(operation: method.format.rawValue, path: path, errno: error)
    }
  }

  /// The place in front of the entries in the member; nil if it has none.
  var start: SpoolPlace? {
    switch state {
    case .empty: nil
    case .filling(let start, _), .complete(let start): start
    }
  }

  /// The tally of the entries in the member.
  var contents: Tally { member.contents }

  /// The entries in the member as they were, if they were kept; for any thread.
  var unsettledEntries: [EntryRun]? { unsettled?.all }

  /// Whether it is to be written.
  func isDue(at now: Moment) -> Bool {
    switch state {
    case .empty: false
    case .filling(_, let deadline):
      member.contents.bytes >= Self.byteCountMax || now.steadyNanoseconds >= deadline
    case .complete: true
    }
  }

  /// In how many nanoseconds the member is to be written; nil if it has no entries.
  func wait(at now: Moment) -> Int64? {
    switch state {
    case .empty: nil
    case .filling(_, let deadline): deadline - now.steadyNanoseconds
    case .complete: 0
    }
  }

  /// Adds as many entries to the member as it takes; the member must not be complete.
  /// - Returns: the added entries.
  func add(_ batch: EntryBatch, at now: Moment) -> EntryBatch {
    let part = batch.prefix(batch.entryCount(reaching: Self.byteCountMax - member.contents.bytes))
    if case .empty = state {
      state = .filling(from: part.start, deadline: now.steadyNanoseconds + patience)
    }
    member.add(part)
    endSequence = part.start.sequence + part.count
    unsettled?.append(part)
    return part
  }

  /// Completes the member: no entry is added to it any more.
  ///
  /// - Parameter path: the path of the file, for messages.
  /// - Returns: the size of the complete member in bytes.
  /// - Throws: `SystemError` when there is no memory; the call can be repeated.
  func complete(path: String) throws(SystemError) -> Int {
    if case .filling(let start, _) = state { state = .complete(from: start) }
    do {
      try member.seal()
    } catch {
      throw SystemError(operation: format.rawValue, path: path, errno: error)
    }
    return member.bytes.count
  }

  /// Writes the complete member; this may be repeated until `clear`.
  func write(to file: EntryFile) throws(SystemError) { try file.append(member.bytes) }

  /// The beginning of a file whose first member is this one, joined with the empty member in front of it.
  var joinedBeginning: [UInt8]? { format.joinedBeginning(member.bytes) }

  /// Has the next member completed soon, and each one after that in twice the time.
  func hurry() { patience = Self.nanosecondsMin }

  /// Begins the next member, after this one was written.
  func clear() {
    patience = min(2 * patience, Self.nanosecondsMax)
    member.reset()
    state = .empty
    unsettled?.removeAll()
  }

  /// Writes a member that has the header, even if that is empty, and no entries.
  func write(header: [UInt8], to file: EntryFile) throws(SystemError) {
    guard !header.isEmpty else { return try file.append(format.emptyPart) }
    let bytes: [UInt8]
    do {
      bytes = try member.compress(header)
    } catch {
      throw SystemError(operation: format.rawValue, path: file.path, errno: error)
    }
    try file.append(bytes)
  }
}
