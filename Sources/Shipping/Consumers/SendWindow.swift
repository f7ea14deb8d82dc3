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
  // lengths.count; the lengths of the entries kept add up to endByte - firstByte. Room is made before
  // anything is written.

  /// How many bytes are kept at a time; a single entry may be larger.
  static let byteCountUsual = 1 << 20
  private static let entryCountMax = 1 << 16

  private let byteCountMax: Int
  private var bytes: UnsafeMutableRawBufferPointer
  private let lengths: UnsafeMutableBufferPointer<UInt32>

  // Offsets into `bytes`: the entries kept, and how much of them was sent.
  private var firstByte = 0
  private var sentByte = 0
  private var endByte = 0
  // The same in `lengths`; `unsentEntry` is the first that was not sent whole, and begins at its byte.
  private var firstEntry = 0
  private var unsentEntry = 0
  private var unsentEntryByte = 0
  private var endEntry = 0
  // The size of the entries kept, independent of the form that is sent.
  private var entryByteCount = 0
  // The places in the spool of the entries kept: usually one run, but entries may be missing between two
  // runs.
  private var runs: [Run] = []

  /// Entries that follow one another in the spool.
  private struct Run {
    var start: SpoolPlace
    var count: Int
  }

  /// The form in which entries are sent; changed only while no entries are kept.
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

  /// The tally of the entries kept.
  var contents: Tally { Tally(entries: endEntry - firstEntry, bytes: entryByteCount) }

  /// The place of the first entry kept; nil if no entries are kept.
  var start: SpoolPlace? { runs.first?.start }

  /// The entries kept, in runs that follow one another.
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

  /// Whether no entries are kept.
  var isEmpty: Bool { firstEntry == endEntry }

  /// How many of the bytes kept were sent.
  var sentByteCount: Int { sentByte - firstByte }

  /// Whether all entries kept were sent.
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

  /// Appends entries for which there is room.
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

  /// Skips entries of which nothing is sent.
  private mutating func skipEmpty() { markSent(0) }

  /// The bytes to be sent next: whole entries of at most `byteCountMax` bytes, or the rest of one; valid
  /// until the next change.
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

  /// Forgets the entries that the consumer has taken: all that were sent but the last bytes, of the given
  /// number.
  /// - Returns: the forgotten entries.
  @discardableResult
  mutating func confirm(unreadByteCount: Int) -> [EntryStretch] {
    precondition(unreadByteCount >= 0 && unreadByteCount <= sentByteCount, "more than was sent")
    return removeFirst(until: sentByte - unreadByteCount, of: unsentEntry)
  }

  /// Forgets the first entries, up to a byte and an entry.
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

  /// Forgets the places of the first entries, which are all of one run.
  private mutating func removeFirst(_ tally: Tally) -> EntryStretch {
    let stretch = EntryStretch(tally, from: runs[0].start)
    entryByteCount -= tally.bytes
    runs[0].start = runs[0].start.advanced(by: tally)
    runs[0].count -= tally.entries
    if runs[0].count == 0 { runs.removeFirst() }
    return stretch
  }

  /// The size of an entry, independent of the form that is sent.
  private func size(ofEntryIn range: Range<Int>) -> Int {
    unsafe form.entryByteCount(in: UnsafeRawBufferPointer(rebasing: bytes[range]))
  }

  /// Forgets the entry to be sent next, of which no byte was sent.
  /// - Returns: the forgotten entry; nil if there is none.
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

  /// Removes the entry to be sent next, of this size, from its run, which may leave two runs.
  private mutating func cutRun(_ taken: Tally) -> EntryStretch {
    // The entries kept in front of it in its run.
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

  /// Has all entries kept sent again, beginning with a whole entry.
  mutating func rewind() {
    sentByte = firstByte
    unsentEntryByte = firstByte
    unsentEntry = firstEntry
    skipEmpty()
  }

  /// Forgets all entries kept.
  /// - Returns: the forgotten entries.
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
    // The memory of an entry larger than the usual size of the window is given back.
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
