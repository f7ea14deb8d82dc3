import Glibc
import ShmLog

/// The headers that a line needs, in plain memory: every header record of every transaction is compared
/// with it, and most are told apart by their first letter.
///
/// Owned by whoever makes it and calls `deallocate`.
struct HeaderTable {
  /// One header that is looked for.
  struct Entry {
    /// In lower case, with its colon.
    let name: UnsafeRawBufferPointer
    let slot: Int
    let rule: FormatItem.MatchRule?
    let kind: Kind
  }

  /// What the value is for.
  enum Kind {
    case value
    case host
    case authorization
  }

  let entries: UnsafeMutableBufferPointer<Entry>
  /// One bit for each first letter, by the low five bits of its code.
  private let firstLetters: UInt32
  private let matchesLoosely: Bool
  private let names: UnsafeMutableRawBufferPointer

  init(_ watches: [(watch: CapturePlan.HeaderWatch, kind: Kind)], matchesLoosely: Bool) {
    let names = UnsafeMutableRawBufferPointer.allocate(
      byteCount: watches.reduce(1) { $0 + $1.watch.name.count }, alignment: 1)
    let entries = UnsafeMutableBufferPointer<Entry>.allocate(capacity: watches.count)
    var used = 0
    var letters: UInt32 = 0
    for (index, (watch, kind)) in watches.enumerated() {
      let name = UnsafeMutableRawBufferPointer(rebasing: names[used..<used + watch.name.count])
      name.copyBytes(from: watch.name)
      used += watch.name.count
      letters |= 1 << UInt32((watch.name.first ?? 0) & 31)
      entries.initializeElement(
        at: index,
        to: Entry(
          name: UnsafeRawBufferPointer(name), slot: watch.slot, rule: watch.rule, kind: kind))
    }
    self.names = names
    self.entries = entries
    self.matchesLoosely = matchesLoosely
    // Loosely, even a record that differs in its first byte may match.
    firstLetters = matchesLoosely ? .max : letters
  }

  func deallocate() {
    names.deallocate()
    entries.deallocate()
  }

  /// Whether a record may be of one of the headers at all.
  @inline(__always)
  func mayMatch(_ payload: LogBytes) -> Bool {
    matchesLoosely
      || (payload.count > 0 && firstLetters >> UInt32(payload[0] & 31) & 1 != 0)
  }

  /// What stands behind a header's name; nil if the record is of another header.
  @inline(__always)
  func match(_ payload: LogBytes, _ entry: Entry) -> LogBytes? {
    if matchesLoosely { return looseMatch(payload, entry.name) }
    let count = entry.name.count
    // The colon is the quickest to tell most headers of the same first letter apart by.
    guard payload.count >= count, payload[count - 1] == UInt8(ascii: ":"),
      payload.hasPrefix(lowercased: entry.name)
    else { return nil }
    return payload.dropFirst(count).trimmed
  }

  /// The comparison of the oldest releases: up to the first difference, if there is a blank or the end.
  private func looseMatch(_ payload: LogBytes, _ name: UnsafeRawBufferPointer) -> LogBytes? {
    var index = 0
    while index < payload.count, index < name.count,
      ASCII.lowercased(payload[index]) == name[index]
    {
      index += 1
    }
    guard index == payload.count || payload[index] == 0x20 else { return nil }
    return payload.dropFirst(index).trimmed
  }
}
