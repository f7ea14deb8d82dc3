import Glibc
import Spool

/// The bytes of whole entries that were taken from the spool, but aren't known to have been taken by a
/// consumer; in the form in which they are sent.
///
///     bytes    ░░░░░░░░┌──────────┬──────────┬──────────┬──────────┐ … room …
///              forgotten  entry      entry  ▲   entry      entry  │
///                      ▲ first               sent                  ▲ end
///
/// What is sent is sent in order, and a consumer takes it in order, so one number says how far it has come:
/// how many of the last bytes sent it has not taken. Entries move to the front of the memory only when there is
/// no more room behind them.
@safe struct SendWindow: ~Copyable {
  // Invariant: firstByte <= sentByte <= endByte <= bytes.count and firstEntry <= unsentEntry <= endEntry <=
  // lengths.count; the lengths of the entries kept add up to endByte - firstByte. What is written has had room made
  // for it first.

  /// How much is kept at a time; a single entry may be larger.
  static let byteCountUsual = 1 << 20
  private static let entryCountMax = 1 << 16

  private let byteCountMax: Int
  private var bytes: UnsafeMutableRawBufferPointer
  private let lengths: UnsafeMutableBufferPointer<UInt32>

  // Offsets into `bytes`: what is kept, and how much of that was sent.
  private var firstByte = 0
  private var sentByte = 0
  private var endByte = 0
  // The same in `lengths`; `unsentEntry` is the first that was not sent whole, and begins at its byte.
  private var firstEntry = 0
  private var unsentEntry = 0
  private var unsentEntryByte = 0
  private var endEntry = 0
  // How many bytes the entries have that are kept, independent of the form that is sent.
  private var entryByteCount = 0
  // Where in the spool they come from: usually one run, but entries may be missing between two.
  private var runs: [Run] = []

  /// Entries that follow one another in the spool.
  private struct Run {
    var start: SpoolPlace
    var count: Int
  }

  /// What is sent of an entry; changed only while nothing is kept.
  var form = EntryForm.line {
    didSet { precondition(isEmpty || form == oldValue, "entries of another form are kept") }
  }

  init(byteCountMax: Int = Self.byteCountUsual) {
    self.byteCountMax = byteCountMax
    unsafe bytes = .allocate(byteCount: byteCountMax, alignment: 1)
    unsafe lengths = .allocate(capacity: Self.entryCountMax)
  }

  deinit {
    unsafe bytes.deallocate()
    unsafe lengths.deallocate()
  }

  /// What is kept.
  var contents: Tally { Tally(entries: endEntry - firstEntry, bytes: entryByteCount) }

  /// Where the first entry that is kept begins; nil if nothing is kept.
  var start: SpoolPlace? { runs.first?.start }

  /// The entries that are kept.
  var entryRuns: [EntryRun] {
    var start = firstByte
    var index = firstEntry
    return runs.map { run in
      var list = EntryList(bytes: [], ends: [])
      for _ in 0..<run.count {
        let end = unsafe start + Int(lengths[index])
        unsafe list.bytes += form.entry(in: UnsafeRawBufferPointer(rebasing: bytes[start..<end]))
        list.ends.append(list.bytes.count)
        start = end
        index += 1
      }
      return EntryRun(firstSequence: run.start.sequence, entries: list)
    }
  }

  /// Whether nothing is kept.
  var isEmpty: Bool { firstEntry == endEntry }

  /// How many of the bytes kept were sent.
  var sentByteCount: Int { sentByte - firstByte }

  /// Whether everything that is kept was sent.
  var isSent: Bool { sentByte == endByte }

  /// The first entries of a batch, as many as there is room for; an empty window takes any entry.
  func fitting(_ batch: EntryBatch) -> EntryBatch {
    let room = byteCountMax - (endByte - firstByte)
    let countMax = unsafe lengths.count - (endEntry - firstEntry)
    let count = min(form == .line ? batch.entryCount(within: room) : sendable(batch, within: room), countMax)
    return batch.prefix(isEmpty ? max(count, min(1, batch.count)) : count)
  }

  /// How many entries there is room for in the form in which they are sent.
  private func sendable(_ batch: EntryBatch, within room: Int) -> Int {
    var byteCount = 0
    for index in 0..<batch.count {
      unsafe byteCount += form.byteCount(ofEntry: batch.entry(index))
      if byteCount > room { return index }
    }
    return batch.count
  }

  /// Takes entries for which there is room.
  mutating func append(_ batch: EntryBatch) {
    guard batch.count > 0 else { return }
    entryByteCount += batch.byteCount
    if let last = runs.indices.last, runs[last].start.sequence + runs[last].count == batch.start.sequence {
      runs[last].count += batch.count
    } else {
      runs.append(Run(start: batch.start, count: batch.count))
    }
    guard form == .line else { return appendEach(of: batch) }
    makeRoom(byteCount: batch.byteCount, entryCount: batch.count)
    unsafe UnsafeMutableRawBufferPointer(rebasing: bytes[endByte...]).copyMemory(from: batch.bytes)
    var start = 0
    for index in 0..<batch.count {
      let end = batch.endOffset(of: index)
      unsafe lengths[endEntry + index] = UInt32(end - start)
      start = end
    }
    endByte += batch.byteCount
    endEntry += batch.count
  }

  private mutating func appendEach(of batch: EntryBatch) {
    let byteCount = (0..<batch.count).reduce(0) { unsafe $0 + form.byteCount(ofEntry: batch.entry($1)) }
    makeRoom(byteCount: byteCount, entryCount: batch.count)
    for index in 0..<batch.count {
      let room = unsafe UnsafeMutableRawBufferPointer(rebasing: bytes[endByte...])
      let count = unsafe form.put(batch.entry(index), to: room)
      unsafe lengths[endEntry] = UInt32(count)
      endByte += count
      endEntry += 1
    }
    skipEmpty()
  }

  /// Passes over entries of which nothing is sent.
  private mutating func skipEmpty() { markSent(0) }

  /// What is to be sent next: whole entries of at most `byteCountMax` bytes, or the rest of one; valid until
  /// the next change.
  func unsent(byteCountMax: Int) -> UnsafeRawBufferPointer {
    var end = unsentEntryByte
    var entry = unsentEntry
    while entry < endEntry {
      let next = unsafe end + Int(lengths[entry])
      if next - sentByte > byteCountMax, end > sentByte { break }
      end = next
      entry += 1
    }
    return unsafe UnsafeRawBufferPointer(rebasing: bytes[sentByte..<max(sentByte, end)])
  }

  /// Notes that so many more bytes were sent.
  mutating func markSent(_ byteCount: Int) {
    precondition(byteCount >= 0 && byteCount <= endByte - sentByte, "more than there is")
    sentByte += byteCount
    while unsentEntry < endEntry {
      let end = unsafe unsentEntryByte + Int(lengths[unsentEntry])
      if end > sentByte { break }
      unsentEntryByte = end
      unsentEntry += 1
    }
  }

  /// Forgets the entries that the consumer has taken: all that was sent but the last so many bytes.
  /// - Returns: these entries.
  @discardableResult
  mutating func confirm(unreadByteCount: Int) -> [EntryStretch] {
    precondition(unreadByteCount >= 0 && unreadByteCount <= sentByteCount, "more than was sent")
    return removeFirst(until: sentByte - unreadByteCount, of: unsentEntry)
  }

  /// Forgets the first entries, those that end in front of a byte and of an entry.
  private mutating func removeFirst(until byte: Int, of entry: Int) -> [EntryStretch] {
    var removed: [EntryStretch] = []
    var tally = Tally.zero
    while firstEntry < entry {
      let end = unsafe firstByte + Int(lengths[firstEntry])
      if end > byte { break }
      tally += Tally(entries: 1, bytes: size(ofEntryIn: firstByte..<end))
      firstByte = end
      firstEntry += 1
      if tally.entries == runs[0].count {
        removed.append(removeFirst(tally))
        tally = .zero
      }
    }
    if tally.entries > 0 { removed.append(removeFirst(tally)) }
    if isEmpty { clear() }
    return removed
  }

  /// Forgets where the first entries come from, all of one run.
  private mutating func removeFirst(_ tally: Tally) -> EntryStretch {
    let stretch = EntryStretch(tally, from: runs[0].start)
    entryByteCount -= tally.bytes
    runs[0].start = runs[0].start.advanced(by: tally)
    runs[0].count -= tally.entries
    if runs[0].count == 0 { runs.removeFirst() }
    return stretch
  }

  /// How many bytes an entry has, independent of the form that is sent.
  private func size(ofEntryIn range: Range<Int>) -> Int {
    unsafe form.entryByteCount(in: UnsafeRawBufferPointer(rebasing: bytes[range]))
  }

  /// Forgets the entry that would be sent next, none of whose bytes were sent.
  /// - Returns: that entry; nil if there is none.
  mutating func dropNext() -> EntryStretch? {
    guard unsentEntry < endEntry, sentByte == unsentEntryByte else { return nil }
    let end = unsafe sentByte + Int(lengths[unsentEntry])
    let dropped = cutRun(Tally(entries: 1, bytes: size(ofEntryIn: sentByte..<end)))
    entryByteCount -= dropped.tally.bytes
    if let base = unsafe bytes.baseAddress, let first = unsafe lengths.baseAddress {
      unsafe memmove(base + sentByte, base + end, endByte - end)
      unsafe (first + unsentEntry).update(from: first + unsentEntry + 1, count: endEntry - unsentEntry - 1)
    }
    endByte -= end - sentByte
    endEntry -= 1
    if isEmpty { clear() }
    return dropped
  }

  /// Takes the entry that would be sent next, of this size, out of its run, of which two may be left.
  private mutating func cutRun(_ taken: Tally) -> EntryStretch {
    // What is kept in front of it, in its own run.
    var index = 0
    var entry = firstEntry
    var start = firstByte
    while entry + runs[index].count <= unsentEntry {
      for passed in entry..<entry + runs[index].count { unsafe start += Int(lengths[passed]) }
      entry += runs[index].count
      index += 1
    }
    var before = Tally.zero
    for passed in entry..<unsentEntry {
      let end = unsafe start + Int(lengths[passed])
      before += Tally(entries: 1, bytes: size(ofEntryIn: start..<end))
      start = end
    }
    let run = runs[index]
    let dropped = EntryStretch(taken, from: run.start.advanced(by: before))
    let parts = [
      Run(start: run.start, count: before.entries),
      Run(start: run.start.advanced(by: before + taken), count: run.count - before.entries - 1),
    ]
    runs.replaceSubrange(index...index, with: parts.filter { $0.count > 0 })
    return dropped
  }

  /// Has everything that is kept sent again, beginning with a whole entry.
  mutating func rewind() {
    sentByte = firstByte
    unsentEntryByte = firstByte
    unsentEntry = firstEntry
    skipEmpty()
  }

  /// Forgets everything that is kept.
  /// - Returns: what that was.
  mutating func drop() -> [EntryStretch] { removeFirst(until: endByte, of: endEntry) }

  private mutating func clear() {
    (firstByte, sentByte, endByte) = (0, 0, 0)
    (firstEntry, unsentEntry, unsentEntryByte, endEntry) = (0, 0, 0, 0)
    entryByteCount = 0
    runs.removeAll(keepingCapacity: true)
  }

  private mutating func makeRoom(byteCount: Int, entryCount: Int) {
    if unsafe endByte + byteCount > bytes.count || endEntry + entryCount > lengths.count { moveToFront() }
    unsafe precondition(endEntry + entryCount <= lengths.count, "more entries than there is room for")
    let needed = max(byteCountMax, endByte + byteCount)
    // One entry that was larger than all that is usually kept must not take its memory for ever.
    guard unsafe bytes.count < needed || (isEmpty && bytes.count > needed) else { return }
    let larger = UnsafeMutableRawBufferPointer.allocate(byteCount: needed, alignment: 1)
    unsafe larger.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[..<endByte]))
    unsafe bytes.deallocate()
    unsafe bytes = unsafe larger
  }

  private mutating func moveToFront() {
    guard let base = unsafe bytes.baseAddress, let first = unsafe lengths.baseAddress else { return }
    unsafe memmove(base, base + firstByte, endByte - firstByte)
    unsafe first.update(from: first + firstEntry, count: endEntry - firstEntry)
    endByte -= firstByte
    sentByte -= firstByte
    unsentEntryByte -= firstByte
    endEntry -= firstEntry
    unsentEntry -= firstEntry
    (firstByte, firstEntry) = (0, 0)
  }
}
