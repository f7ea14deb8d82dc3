import Glibc
import VarnishLog

/// The headers that a line needs, in plain memory: every header record of every transaction is compared
/// with it, and most are told apart by their first letter.
///
/// Owned by whoever makes it and calls `deallocate`.
@safe struct HeaderTable {
  // Invariant: `heads` has as many elements as `entries`, `ranges` one for each letter, and each range lies
  // within `entries`, which callers take indices from. Names and folds lie in `names`, equally long. What is
  // loaded from a payload is within it: its length is compared first.

  /// One header that is looked for.
  @safe struct Entry {
    /// In lower case, with its colon.
    let name: UnsafeRawBufferPointer
    /// For each byte of the name, the bit that makes a capital letter small, if it is a letter.
    let folds: UnsafeRawBufferPointer
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
  /// The first four bytes of each name, and which bits of them count.
  private let heads: UnsafeMutableBufferPointer<(bytes: UInt32, mask: UInt32)>
  /// Which entries begin with a letter, by the low five bits of its code.
  private let ranges: UnsafeMutableBufferPointer<Range<Int>>
  private let matchesLoosely: Bool
  private let filter: HeadFilter
  private let names: UnsafeMutableRawBufferPointer

  init(_ watches: [(watch: CapturePlan.HeaderWatch, kind: Kind)], matchesLoosely: Bool) {
    let names = UnsafeMutableRawBufferPointer.allocate(
      byteCount: watches.reduce(1) { $0 + 2 * $1.watch.name.count }, alignment: 1)
    let entries = UnsafeMutableBufferPointer<Entry>.allocate(capacity: watches.count)
    let heads = UnsafeMutableBufferPointer<(bytes: UInt32, mask: UInt32)>.allocate(
      capacity: watches.count)
    let ranges = UnsafeMutableBufferPointer<Range<Int>>.allocate(capacity: Self.letterCount)
    unsafe ranges.initialize(repeating: 0..<0)
    // Headers of one name stay in the order of the format.
    let sorted =
      matchesLoosely
      ? watches
      : (0..<Self.letterCount).flatMap { letter in
        watches.filter { Self.letter(of: $0.watch.name) == letter }
      }
    var used = 0
    for (index, (watch, kind)) in sorted.enumerated() {
      let name = unsafe UnsafeMutableRawBufferPointer(rebasing: names[used..<used + watch.name.count])
      unsafe name.copyBytes(from: watch.name)
      used += watch.name.count
      let folds = unsafe UnsafeMutableRawBufferPointer(rebasing: names[used..<used + watch.name.count])
      unsafe folds.copyBytes(from: watch.name.map { (0x61...0x7A).contains($0) ? 0x20 : 0 })
      used += watch.name.count
      let letter = Self.letter(of: watch.name)
      unsafe ranges[letter] = unsafe (ranges[letter].isEmpty ? index : ranges[letter].lowerBound)..<index + 1
      unsafe heads.initializeElement(at: index, to: Self.head(of: watch.name))
      unsafe entries.initializeElement(
        at: index,
        to: Entry(
          name: UnsafeRawBufferPointer(name), folds: UnsafeRawBufferPointer(folds), slot: watch.slot,
          rule: watch.rule, kind: kind))
    }
    // Loosely, even what is shorter than a name may match.
    filter = HeadFilter(matchesLoosely ? [[]] : watches.map(\.watch.name))
    unsafe self.names = unsafe names
    unsafe self.entries = unsafe entries
    unsafe self.heads = unsafe heads
    self.matchesLoosely = matchesLoosely
    // Loosely, even a record that differs in its first byte may match.
    if matchesLoosely { unsafe ranges.update(repeating: 0..<watches.count) }
    unsafe self.ranges = unsafe ranges
  }

  private static var letterCount: Int { 32 }

  private static func letter(of name: [UInt8]) -> Int { Int((name.first ?? 0) & 31) }

  private static func head(of name: [UInt8]) -> (bytes: UInt32, mask: UInt32) {
    var bytes: UInt32 = 0
    var mask: UInt32 = 0
    for (index, byte) in name.prefix(4).enumerated() {
      bytes |= UInt32(byte | 0x20) << UInt32(8 * index)
      mask |= 0xFF << UInt32(8 * index)
    }
    return (bytes, mask)
  }

  func deallocate() {
    unsafe names.deallocate()
    unsafe entries.deallocate()
    unsafe heads.deallocate()
    unsafe ranges.deallocate()
    filter.deallocate()
  }

  /// The entries that a record may be of.
  @inline(__always)
  func candidates(for payload: LogBytes) -> Range<Int> {
    guard payload.count > 0 else { return unsafe matchesLoosely ? 0..<entries.count : 0..<0 }
    return unsafe ranges[Int(payload[0] & 31)]
  }

  /// Whether a record can be of one of the headers at all.
  @inline(__always)
  func mayMatch(_ payload: LogBytes) -> Bool {
    filter.mayMatch(payload)
  }

  /// What stands behind a header's name; nil if the record is of another header.
  func match(_ payload: LogBytes, at index: Int) -> LogBytes? {
    let name = unsafe entries[index].name
    if matchesLoosely { return unsafe looseMatch(payload, name) }
    guard payload.count >= name.count else { return nil }
    // Eight bytes at a time, with the bit set that tells capitals from small letters where the name has a
    // letter. The last eight overlap those before them.
    let folds = unsafe entries[index].folds
    if name.count >= 8 {
      var at = 0
      while true {
        let word = unsafe payload.start.loadUnaligned(fromByteOffset: at, as: UInt64.self)
        guard
          unsafe word | folds.loadUnaligned(fromByteOffset: at, as: UInt64.self)
            == name.loadUnaligned(fromByteOffset: at, as: UInt64.self)
        else { return nil }
        if at == name.count - 8 { break }
        at = min(at + 8, name.count - 8)
      }
    } else {
      for at in 0..<name.count where unsafe payload[at] | folds[at] != name[at] { return nil }
    }
    return payload.dropFirst(name.count).trimmed
  }

  /// Whether a record can be of this header: its first four bytes are right but for the case of letters.
  ///
  /// Setting the bit that tells small letters from capitals also makes some other bytes alike; `match` has
  /// the last word.
  @inline(__always)
  func mayMatch(_ payload: LogBytes, at index: Int) -> Bool {
    guard payload.count >= 4, !matchesLoosely else { return true }
    let word = unsafe payload.start.loadUnaligned(as: UInt32.self) | 0x2020_2020
    return unsafe (word ^ heads[index].bytes) & heads[index].mask == 0
  }

  /// The comparison of the oldest releases: up to the first difference, if there is a blank or the end.
  private func looseMatch(_ payload: LogBytes, _ name: UnsafeRawBufferPointer) -> LogBytes? {
    var index = 0
    while index < payload.count, index < name.count,
      unsafe ASCII.lowercased(payload[index]) == name[index]
    {
      index += 1
    }
    guard index == payload.count || payload[index] == 0x20 else { return nil }
    return payload.dropFirst(index).trimmed
  }
}
