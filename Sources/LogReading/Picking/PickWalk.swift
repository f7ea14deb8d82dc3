import CShims
import VarnishLog

/// Walks from record to record of one transaction, which lie one behind the other, and picks those that are wanted on
/// the way.
///
/// Deciding about a record takes its header and the first bytes of its payload: 33 instructions, or 20 if
/// nothing is picked. Queries and lines need no walk of their own then.
@safe struct PickWalk<Layout: RecordLayout> {
  // Invariant: `start <= position <= end`, and all in between may be read. What `passQuickly` reads of a record, its
  // header and four bytes behind it, lies in front of `end`, as its place is compared with a limit that is so far in
  // front; nearer to the end, each length is compared with what is left before it is used.

  private let start: UnsafeRawPointer
  private(set) var position: UnsafeRawPointer
  private let end: UnsafeRawPointer
  /// What the first record has in common with the others, as the layout has it; 0 if there is no record.
  private let identity: UInt64
  /// How many records were picked.
  private(set) var pickCount = 0
  /// Whether there was room for all that were to be picked.
  private(set) var isComplete = true

  /// Begins at the first record of some readable bytes.
  init(start: UnsafeRawPointer, byteCount: Int) {
    unsafe self.start = start
    unsafe position = start
    unsafe end = start + byteCount
    identity = unsafe byteCount >= Layout.headerByteCount ? Layout.identity(start) : 0
  }

  /// How many bytes ahead memory is fetched into the cache: walking from header to header would wait for each
  /// of them.
  private static var prefetchDistance: Int { 4096 }

  /// What is read of a record before its length is known to fit.
  private static var quickByteCount: Int { Layout.headerByteCount + MemoryLayout<UInt32>.size }

  /// How many bytes were passed over.
  var byteCount: Int { unsafe position - start }

  /// The record that comes next; nil if there is no whole one.
  var record: Record<Layout>? {
    let left = unsafe end - position
    guard left >= Layout.headerByteCount else { return nil }
    let word = unsafe shim_load_acquire_u32(position)
    guard Record<Layout>.byteCount(word) <= left else { return nil }
    return unsafe Record(start: position, word: word)
  }

  /// Passes over the records about which there is nothing to decide: of the same transaction and side as the first one,
  /// and of none of the tags at which to stop.
  ///
  /// - Parameter picks: whether records are picked; a constant.
  @inline(__always)
  mutating func passQuickly(_ table: PickTable, into list: PickList<Layout>, picks: Bool) {
    var limit = unsafe end - Self.quickByteCount
    // In front of this limit there can't be more records than fit the list.
    if picks {
      unsafe limit = unsafe min(limit, start + (PickList<Layout>.capacity - 1) * Layout.headerByteCount)
    }
    var at = unsafe position
    guard unsafe at <= limit else { return }
    var count = pickCount
    while true {
      unsafe shim_prefetch(at + Self.prefetchDistance)
      // Going on waits for the length alone. Loaded by itself, it takes two cycles less of nine on its way to the
      // next record: 3 to 7 % of a conversion. A server may overwrite it between the two loads, and what is kept of
      // the record has the length in its word: only if that is the same one does the record lie in front of `limit`.
      let length = unsafe shim_load_u16(at)
      let next = unsafe shim_round_up(at + Layout.headerByteCount, length).unsafelyUnwrapped
      let word = unsafe shim_load_acquire_u32(at)
      let code = table.code(RecordHeader.tag(word))
      guard unsafe next <= limit && Layout.identity(at) == identity, code & PickTable.stop == 0,
        length == RecordHeader.payloadByteCount(word)
      else { break }
      if picks {
        // Stored in any case, and counted if it is wanted.
        unsafe (list.memory + count).initialize(to: Record(start: at, word: word))
        count &+= unsafe table.picks(code, head: (at + Layout.headerByteCount).load(as: UInt32.self))
      }
      unsafe at = next
    }
    unsafe position = at
    pickCount = count
  }

  /// Passes over the record that comes next, `record`.
  mutating func pass(_ record: Record<Layout>, _ table: PickTable, into list: PickList<Layout>, picks: Bool) {
    unsafe position += record.bytes.count
    guard picks, table.mayPick(table.code(record.tag)) else { return }
    let count = list.put(record, at: pickCount)
    if count == pickCount { isComplete = false }
    pickCount = count
  }
}
