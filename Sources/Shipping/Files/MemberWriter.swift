import Compression
import Platform
import Spool

/// Fills one gzip member or zstd frame after the other, and writes each once it is complete.
final class MemberWriter {
  /// How long an entry may wait in memory for its member to fill.
  ///
  /// A second is promised; the difference is for the thread to wake and write.
  static let nanosecondsMax: Int64 = 900_000_000
  /// How much goes into one member.
  static let byteCountMax = 1 << 20

  private enum State {
    case empty
    /// It has entries from this place on, and is to be written when the steady clock says so much.
    case filling(from: SpoolPlace, deadline: Int64)
    /// Nothing goes into it any more; it may have failed to be written.
    case complete(from: SpoolPlace)
  }

  /// The same for the first one where runs are killed again and again: each is to get on, however short its life is.
  static let nanosecondsMin: Int64 = 25_000_000

  /// What members are.
  let format: CompressionFormat
  private var member: Member
  private var state = State.empty
  /// How long an entry waits at present.
  private var patience = MemberWriter.nanosecondsMax
  /// The sequence behind the last entry in the member.
  private(set) var endSequence = 0
  /// What is in the member, if it may be asked for.
  private let unsettled: UnsettledEntries?

  /// - Parameter path: what is written, for messages.
  init(_ method: CompressionMethod, path: String, unsettled: UnsettledEntries?) throws(SystemError) {
    self.unsettled = unsettled
    format = method.format
    do {
      member = try Member(method, usualByteCount: Self.byteCountMax + 64 << 10)
    } catch {
      throw SystemError(operation: method.format.rawValue, path: path, errno: error)
    }
  }

  /// In front of what is in the member; nil if nothing is.
  var start: SpoolPlace? {
    switch state {
    case .empty: nil
    case .filling(let start, _), .complete(let start): start
    }
  }

  /// How much is in the member.
  var contents: Tally { member.contents }

  /// What is in it as it was, if it was kept; for any thread.
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

  /// In how many nanoseconds it is; nil if nothing is in it.
  func wait(at now: Moment) -> Int64? {
    switch state {
    case .empty: nil
    case .filling(_, let deadline): deadline - now.steadyNanoseconds
    case .complete: 0
    }
  }

  /// Puts as many entries into the member as it takes; it isn't complete.
  /// - Returns: these entries.
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

  /// Completes the member; nothing goes into it any more.
  ///
  /// - Parameter path: what is written, for messages.
  /// - Returns: how many bytes it has.
  /// - Throws: `SystemError` when there is no memory; it can be tried again.
  func complete(path: String) throws(SystemError) -> Int {
    if case .filling(let start, _) = state { state = .complete(from: start) }
    do {
      try member.seal()
    } catch {
      throw SystemError(operation: format.rawValue, path: path, errno: error)
    }
    return member.bytes.count
  }

  /// Writes the member, which is complete; that may be repeated until `clear`.
  func write(to file: EntryFile) throws(SystemError) { try file.append(member.bytes) }

  /// How a file begins in which the member, as its first one, has taken in the empty one in front of it.
  var joinedBeginning: [UInt8]? { format.joinedBeginning(member.bytes) }

  /// Has the first members be complete soon, each following one twice as late.
  func hurry() { patience = Self.nanosecondsMin }

  /// Begins the next member: this one is written.
  func clear() {
    patience = min(2 * patience, Self.nanosecondsMax)
    member.reset()
    state = .empty
    unsettled?.removeAll()
  }

  /// Writes a member that has these bytes, be it none, and no entries.
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
