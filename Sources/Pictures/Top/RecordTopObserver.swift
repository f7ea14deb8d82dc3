package import LogQuery
import Platform
import Shipping
package import Spool
package import VarnishLog

/// Counts records by their tags and payloads, as varnishtop does.
package final class RecordTopObserver: TopObserver, EntryObserver, @unchecked Sendable {
  /// Which records are counted, and how.
  package struct Options: Sendable {
    /// The rules that choose records.
    package var rules: [RecordRule] = []
    /// Which transactions count: of which sides, and whether ESI fragments; all if none is set.
    package var client = false, backend = false, esi = false
    /// Whether only the first field of a payload is the key.
    package var takesFirstField = false
    /// Whether records are taken one by one, without grouping.
    package var isRaw = false
    /// The release whose rules apply strictly, if one is asked for.
    package var version: VarnishVersion?

    package init() {}
  }

  package let name = "top"
  private let options: Options
  private let walk = Guarded<RecordWalk?>(nil)

  /// Makes an observer with a table of a size.
  package init(_ options: Options, _ size: HeavyHitters.Options, period: Double?) {
    self.options = options
    super.init(size, period: period)
  }

  package func prepare(for kind: BinaryKind) {
    walk.withLock { $0 = RecordWalk(options, kind) }
  }

  package func observe(_ batch: EntryBatch) {
    let now = SystemClock.steadyNanoseconds
    walk.withLock { walk in
      table.withLock { table in
        table.advance(to: now)
        for index in 0..<batch.count { unsafe walk?.count(batch.entry(index), in: &table) }
      }
    }
  }

  override func kinds() -> [UInt8: String] { walk.withLock { $0?.names ?? [:] } }
}

/// The numbers of the tags whose records have figures of a transaction.
private struct FigureTags {
  let begin, timestamp, clientAccount, backendAccount, call: UInt8?

  init(_ tags: TagTable) {
    begin = tags.number(of: .begin)
    timestamp = tags.number(of: .timestamp)
    clientAccount = tags.number(of: .reqAcct)
    backendAccount = tags.number(of: .bereqAcct)
    call = tags.number(of: .vclCall)
  }
}

/// Iterates over the records of groups, twice per transaction: first for its figures, then for the keys.
struct RecordWalk: ~Copyable {
  private let options: RecordTopObserver.Options
  private let tags: FigureTags
  private var filter: RecordFilter?
  /// Tags whose payloads are text.
  private var counted = TagSet()
  private let isWide: Bool
  let names: [UInt8: String]

  /// Prepares for the records of a kind of log; nil if the kind isn't known.
  init?(_ options: RecordTopObserver.Options, _ kind: BinaryKind) {
    guard kind.marker == NarrowRecords.fileMagic || kind.marker == WideRecords.fileMagic else { return nil }
    isWide = kind.marker == WideRecords.fileMagic
    let numberings = Array(TagNumbering.allCases)
    let known = Int(kind.variant) - 1
    let numbering = numberings.indices.contains(known) ? numberings[known] : isWide ? .v73 : .v41
    let table = TagTable(numbering)
    let version = options.version ?? Self.version(of: numbering)
    self.options = options
    tags = FigureTags(table)
    filter =
      options.rules.isEmpty
      ? nil
      : try? RecordFilter(
        options.rules, version: version, isStrict: options.version != nil, tags: table)
    let hasFilter = filter != nil
    var names: [UInt8: String] = [:]
    for number in RecordHeader.tagNumbers {
      guard let tag = table.tag(number) else { continue }
      names[number] = tag.name
      // If the rules are invalid for this log, no records are counted.
      if tag.flag(in: version) == nil, options.rules.isEmpty || hasFilter { counted.insert(number) }
    }
    self.names = names
  }

  /// The release whose names and flags of tags apply to a log with a numbering.
  private static func version(of numbering: TagNumbering) -> VarnishVersion {
    switch numbering {
    case .v90: VarnishVersion(9, 0, 0)
    case .v73: VarnishVersion(8, 0, 0)
    case .v40: VarnishVersion(4, 0, 0)
    default: VarnishVersion(7, 1, 0)
    }
  }

  /// Counts the records of an entry.
  mutating func count(_ entry: UnsafeRawBufferPointer, in table: inout TopTable) {
    // Records consist of whole words, and entries begin at one; an entry that doesn't has no records.
    guard let base = entry.baseAddress, UInt(bitPattern: base) & 3 == 0 else { return }
    if isWide {
      unsafe count(RecordRun<WideRecords>(start: base, byteCount: entry.count), in: &table)
    } else {
      unsafe count(RecordRun<NarrowRecords>(start: base, byteCount: entry.count), in: &table)
    }
  }

  @inline(__always)
  private mutating func count<Layout>(_ run: RecordRun<Layout>, in table: inout TopTable) {
    var keys = run.makeCursor()
    while !keys.rest.isEmpty {
      // One transaction: up to the next `Begin`, or to a record of another transaction's number.
      var ahead = keys
      guard let first = ahead.next() else { return }
      var transaction = TransactionFigures()
      transaction.take(first, tags)
      var count = 1
      while true {
        var next = ahead
        guard let record = next.next(), record.vxid == first.vxid, record.tag != tags.begin else { break }
        transaction.take(record, tags)
        ahead = next
        count += 1
      }
      if let start = transaction.start { table.note(microseconds: start) }
      let isWanted = options.isRaw || transaction.isWanted(options)
      for _ in 0..<count {
        guard let record = keys.next() else { return }
        if isWanted { self.count(record, transaction.figures, in: &table) }
      }
    }
  }

  @inline(__always)
  private mutating func count<Layout>(
    _ record: Record<Layout>, _ figures: HeavyHitters.Figures, in table: inout TopTable
  ) {
    guard counted.contains(record.tag), filter?.shows(tag: record.tag, payload: record.payload) ?? true else {
      return
    }
    var key = record.payload
    if let end = key.firstIndex(of: 0) { key = key.prefix(end) }
    if options.takesFirstField {
      var end = 0
      while end < key.count, !ASCII.isSpace(key[end]), key[end] != UInt8(ascii: ":") { end += 1 }
      key = key.prefix(end)
    }
    if key.count > 0 { unsafe table.sketch.add(key.buffer, kind: record.tag, figures) }
  }
}

/// The figures of a transaction, from its records.
private struct TransactionFigures {
  var figures = HeavyHitters.Figures()
  /// When the transaction began, in microseconds since 1970.
  var start: UInt64?
  private var isRequest = false, isBackendRequest = false, isFragment = false

  /// Whether the transaction is of a side that is asked for.
  func isWanted(_ options: RecordTopObserver.Options) -> Bool {
    let wantsClient = options.client || options.esi
    if !wantsClient, !options.backend { return true }
    if isRequest { return wantsClient && (options.esi || !isFragment) }
    return isBackendRequest && options.backend
  }

  @inline(__always)
  mutating func take<Layout>(_ record: Record<Layout>, _ tags: FigureTags) {
    switch record.tag {
    case tags.timestamp: takeTimestamp(record.payload)
    case tags.clientAccount, tags.backendAccount:
      figures.bytes = unsafe LoggedNumber.whole(Self.field(6, of: record.payload)) ?? 0
    case tags.call: if record.payload.droppingFinalNULs.equals("MISS") { figures.isMiss = true }
    case tags.begin: takeBegin(record.payload)
    default: break
    }
  }

  private mutating func takeBegin(_ payload: LogBytes) {
    let type = unsafe Self.field(1, of: payload)
    (isRequest, isBackendRequest) = unsafe (type.equals("req"), type.equals("bereq"))
    isFragment = unsafe Self.field(3, of: payload).equals("esi")
  }

  private mutating func takeTimestamp(_ payload: LogBytes) {
    if unsafe Self.field(1, of: payload).equals("Start:") {
      start = unsafe LoggedNumber.microseconds(Self.field(2, of: payload))
    }
    // The last time stamp has the time that the transaction took in all.
    if let time = unsafe LoggedNumber.microseconds(Self.field(3, of: payload)) { figures.microseconds = time }
  }

  /// A field of a payload, counted from 1; empty if the payload has fewer.
  private static func field(_ number: Int, of payload: LogBytes) -> UnsafeRawBufferPointer {
    var (at, found) = (0, 0)
    while at < payload.count {
      while at < payload.count, payload[at] == 0x20 { at += 1 }
      let start = at
      while at < payload.count, payload[at] > 0x20 { at += 1 }
      found += 1
      if found == number { return unsafe UnsafeRawBufferPointer(rebasing: payload.buffer[start..<at]) }
      if at < payload.count, payload[at] != 0x20 { break }
    }
    return unsafe UnsafeRawBufferPointer(start: nil, count: 0)
  }
}
