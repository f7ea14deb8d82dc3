import VarnishLog

/// The headers that a line needs, in plain memory: each header record of each transaction is compared with
/// them.
///
/// The first four bytes of a name lead to its entries by one multiplication and one comparison, which also rule out
/// nearly all other headers. The caller owns the memory and calls `deallocate`.
@safe struct HeaderTable {
  // Invariant: `heads` has a place for each number of `bits` bits, `place` returns only such numbers, and all
  // ranges are within `entries`. Names and folds are in `names`, equally long. Loads from a payload are
  // within it: its length is compared first.

  /// One header that is looked for.
  @safe struct Entry {
    /// In lower case, with its colon.
    let name: UnsafeRawPointer
    /// For each byte of the name, the bit that makes a capital letter lower-case, if it is a letter.
    let folds: UnsafeRawPointer
    let nameByteCount: Int
    let slot: Int
    let rule: FormatItem.MatchRule?
    let kind: Kind
    /// The formats that use the header.
    let formats: FormatSet
  }

  /// The use of the value.
  enum Kind {
    case value
    case host
    case authorization
  }

  /// The entries whose names begin with the same four bytes.
  private struct Head {
    /// With the bit set, in each byte, that distinguishes lower-case letters from capitals; 0 is no head.
    var bytes: UInt32 = 0
    var first: UInt16 = 0
    var end: UInt16 = 0
  }

  private let entries: UnsafeMutableBufferPointer<Entry>
  private let heads: UnsafeMutablePointer<Head>
  private let multiplier: UInt32
  /// Whether every entry is compared: headers match loosely, a name is too short, or there are too many for `heads`.
  private let comparesAll: Bool
  private let matchesLoosely: Bool
  private let names: UnsafeMutableRawBufferPointer

  /// Large enough for the headers of several formats; the size hardly matters to the processor's caches, as
  /// only the places of headers that occur in the log are read.
  private static let bits: UInt32 = 8
  private static let fold: UInt32 = 0x2020_2020

  init(_ watches: [(watch: CapturePlan.HeaderWatch, kind: Kind)], matchesLoosely: Bool) {
    unsafe names = .allocate(byteCount: watches.reduce(1) { $0 + 2 * $1.watch.name.count }, alignment: 1)
    unsafe entries = .allocate(capacity: watches.count)
    unsafe heads = .allocate(capacity: 1 << Self.bits)
    unsafe heads.initialize(repeating: Head(), count: 1 << Self.bits)
    self.matchesLoosely = matchesLoosely
    let wanted = Set(watches.map { Self.head(of: $0.watch.name) })
    // A multiplier that gives each head a place of its own is soon found if there are few heads.
    let multiplier = (0..<1000).lazy.map { 0x9E37_79B1 &+ 2 * UInt32($0) }.first { multiplier in
      Set(wanted.map { Self.place($0, multiplier) }).count == wanted.count
    }
    self.multiplier = multiplier ?? 0
    // Loosely, even a record shorter than a name, or with another first byte, may match.
    comparesAll =
      matchesLoosely || multiplier == nil || watches.count > UInt16.max
      || watches.contains { $0.watch.name.count < 4 }
    // Entries of one head are adjacent.
    let sorted =
      comparesAll
      ? watches : wanted.flatMap { head in watches.filter { Self.head(of: $0.watch.name) == head } }
    var used = 0
    for (index, (watch, kind)) in sorted.enumerated() {
      let count = watch.name.count
      let name = unsafe UnsafeMutableRawBufferPointer(rebasing: names[used..<used + count])
      unsafe name.copyBytes(from: watch.name)
      let folds = unsafe UnsafeMutableRawBufferPointer(rebasing: names[used + count..<used + 2 * count])
      unsafe folds.copyBytes(from: watch.name.map { (0x61...0x7A).contains($0) ? 0x20 : 0 })
      used += 2 * count
      guard let name = name.baseAddress, let folds = folds.baseAddress else { continue }
      unsafe entries.initializeElement(
        at: index,
        to: Entry(
          name: name, folds: folds, nameByteCount: count, slot: watch.slot, rule: watch.rule, kind: kind,
          formats: watch.formats))
      guard !comparesAll else { continue }
      let head = unsafe heads + Self.place(Self.head(of: watch.name), self.multiplier)
      if unsafe head.pointee.bytes == 0 {
        unsafe head.pointee.bytes = Self.head(of: watch.name)
        unsafe head.pointee.first = UInt16(index)
      }
      unsafe head.pointee.end = UInt16(index + 1)
    }
  }

  private static func head(of name: [UInt8]) -> UInt32 {
    name.prefix(4).reversed().reduce(0) { $0 << 8 | UInt32($1) } | fold
  }

  @inline(__always)
  private static func place(_ head: UInt32, _ multiplier: UInt32) -> Int {
    Int((head &* multiplier) &>> (32 - bits))
  }

  func deallocate() {
    unsafe names.deallocate()
    unsafe entries.deallocate()
    unsafe heads.deallocate()
  }

  /// The entries that a record may match; `match` decides.
  @inline(__always)
  func candidates(for payload: LogBytes) -> Range<Int> {
    guard !comparesAll else { return unsafe 0..<entries.count }
    guard payload.count >= 4 else { return 0..<0 }
    // Setting the bit that distinguishes lower-case letters from capitals also makes some other bytes alike.
    let bytes = unsafe payload.start.loadUnaligned(as: UInt32.self) | Self.fold
    let head = unsafe heads[Self.place(bytes, multiplier)]
    guard head.bytes == bytes else { return 0..<0 }
    return unsafe Range(uncheckedBounds: (Int(head.first), Int(head.end)))
  }

  /// One of the entries that `candidates` gave.
  @inline(__always)
  func entry(_ index: Int) -> UnsafePointer<Entry> {
    // Within `entries`, and the range isn't empty.
    unsafe UnsafePointer(entries.baseAddress.unsafelyUnwrapped + index)
  }

  /// The value behind a header's name; nil if the record is of another header.
  @inline(__always)
  func match(_ payload: LogBytes, _ entry: UnsafePointer<Entry>) -> LogBytes? {
    if matchesLoosely { return unsafe looseMatch(payload, entry.pointee) }
    let count = unsafe entry.pointee.nameByteCount
    let (name, folds) = unsafe (entry.pointee.name, entry.pointee.folds)
    guard payload.count >= count else { return nil }
    // Eight or four bytes at a time, with the bit set that distinguishes capitals from lower-case letters
    // where the name has a letter. The last bytes overlap those before them.
    if count >= 8 {
      var at = 0
      while true {
        guard unsafe Self.isAlike(payload.start + at, name + at, folds + at, as: UInt64.self) else {
          return nil
        }
        if at == count &- 8 { break }
        at = min(at &+ 8, count &- 8)
      }
    } else if count >= 4 {
      let last = count &- 4
      guard unsafe Self.isAlike(payload.start, name, folds, as: UInt32.self),
        unsafe Self.isAlike(payload.start + last, name + last, folds + last, as: UInt32.self)
      else { return nil }
    } else {
      for at in 0..<count
      where unsafe !Self.isAlike(payload.start + at, name + at, folds + at, as: UInt8.self) { return nil }
    }
    // count <= payload.count, as was compared.
    return unsafe LogBytes(start: payload.start + count, count: payload.count &- count).trimmed
  }

  @inline(__always)
  private static func isAlike<Word: FixedWidthInteger & BitwiseCopyable>(
    _ text: UnsafeRawPointer, _ name: UnsafeRawPointer, _ folds: UnsafeRawPointer, as type: Word.Type
  ) -> Bool {
    unsafe text.loadUnaligned(as: Word.self) | folds.loadUnaligned(as: Word.self)
      == name.loadUnaligned(as: Word.self)
  }

  /// The comparison of the oldest releases: up to the first difference, where the record must have a blank or
  /// end.
  @inline(never)
  private func looseMatch(_ payload: LogBytes, _ entry: Entry) -> LogBytes? {
    var index = 0
    while index < payload.count, index < entry.nameByteCount,
      unsafe ASCII.lowercased(payload[index]) == entry.name.load(fromByteOffset: index, as: UInt8.self)
    {
      index += 1
    }
    guard index == payload.count || payload[index] == 0x20 else { return nil }
    return payload.dropFirst(index).trimmed
  }
}
