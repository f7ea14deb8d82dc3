import LogReading
public import Transactions
public import VarnishLog

/// Writes transactions as records of another generation: tags by their names, and for 2.0 to 3.0, which have no
/// transactions, requests on clients' connections and fetches on others (`vsl-tags.md` 8.2).
///
/// It takes groups of requests (`Grouping.request`), so that it knows which attempts and fetches belong
/// together, and sessions and records of no transaction as they come.
public struct GenerationTranslator: ~Copyable {
  /// The numbering of what is written.
  public let target: TagNumbering
  private var omissions = Omissions()

  private let source: TagTable
  private let table: TagTable
  private var requests: OldRequestWriter?
  private var numbers: NumberNarrowing

  /// Prepares for records of a numbering.
  public init(from source: TagNumbering, to target: TagNumbering) {
    self.target = target
    self.source = TagTable(source)
    table = TagTable(target)
    requests = target.isOld ? OldRequestWriter(from: TagTable(source), to: target) : nil
    let limit: UInt64 =
      switch target {
      case .v20, .v21, .v30: UInt64(UInt32.max)
      case .v40, .v41: 0x3FFF_FFFF
      case .v73, .v90: 1 << 51 - 1
      }
    numbers = NumberNarrowing(largest: limit)
  }

  /// The bytes that a file of such records begins with.
  public var fileHeader: [UInt8] {
    let marker: UInt32
    switch target {
    case .v20, .v21, .v30: return []
    case .v40, .v41: marker = NarrowRecords.fileMagic
    case .v73, .v90: marker = WideRecords.fileMagic
    }
    return unsafe withUnsafeBytes(of: marker.littleEndian, Array.init)
  }

  /// Records that were left out for want of a counterpart, by tag.
  public var untranslated: [(tag: Tag, count: Int)] {
    RecordHeader.tagNumbers.compactMap { number in
      guard let tag = source.tag(number), omissions.records[Int(number)] > 0 else { return nil }
      return (tag, omissions.records[Int(number)])
    }
  }

  /// The messages about transactions that were left out.
  public var untranslatedTransactions: [String] { omissions.said(of: target.releases) }

  /// How many records were left out because their tag is unknown.
  public var unknownCount: Int {
    RecordHeader.tagNumbers.reduce(0) { source.tag($1) == nil ? $0 + omissions.records[Int($1)] : $0 }
  }

  /// How many transactions were given another number, as their own is too large for such a log.
  public var renumberedCount: Int { numbers.count }

  // MARK: Transactions

  /// Appends the transactions of a group.
  public mutating func append<Layout: RecordLayout>(
    _ group: TransactionGroup<Layout>, to bytes: inout [UInt8]
  ) {
    guard target.isOld else {
      for index in 0..<group.count {
        var cursor = group[index].makeCursor()
        while let record = cursor.next() { append(record, to: &bytes) }
      }
      return
    }
    requests?.append(group, numbers: &numbers, omitted: &omissions, to: &bytes)
  }

  /// Appends a record by itself: one that belongs to no transaction or, if neither log is of 2.0 to 3.0, any
  /// record.
  public mutating func append<Layout: RecordLayout>(_ record: Record<Layout>, to bytes: inout [UInt8]) {
    guard let tag = source.tag(record.tag), let number = table.number(of: tag) else {
      omissions.note(record.tag)
      return
    }
    let payload = record.payload
    guard !target.isOld else {
      unsafe LegacyRecordBytes.append(
        tag: number, descriptor: 0, payload.droppingFinalNUL.buffer, target, to: &bytes)
      return
    }
    let bracket = tag == .begin || tag == .link
    if bracket, numbers.narrows || needsLevel(payload) {
      let text = numbers.bracket(payload.droppingFinalNULs.text, addsLevel: needsLevel(payload))
      var copy = Array(text.utf8) + [0]
      unsafe copy.withUnsafeMutableBytes {
        unsafe write(number, record, UnsafeRawBufferPointer($0), to: &bytes)
      }
    } else {
      unsafe write(number, record, payload.buffer, to: &bytes)
    }
  }

  /// Whether a `Begin` or `Link` lacks the level of an ESI fragment, which it has since 7.3.
  private func needsLevel(_ payload: LogBytes) -> Bool {
    guard target == .v73 || target == .v90 else { return false }
    return (payload.droppingFinalNULs.field(3)?.equals("esi") ?? false) && payload.field(4) == nil
  }

  private mutating func write<Layout: RecordLayout>(
    _ tag: UInt8, _ record: Record<Layout>, _ payload: UnsafeRawBufferPointer, to bytes: inout [UInt8]
  ) {
    let (vxid, side) = (numbers.narrowed(record.vxid), record.side)
    if target == .v40 || target == .v41 {
      unsafe Self.write(NarrowRecords.self, tag, vxid, side, payload, to: &bytes)
    } else {
      unsafe Self.write(WideRecords.self, tag, vxid, side, payload, to: &bytes)
    }
  }

  private static func write<Layout: RecordLayout>(
    _: Layout.Type, _ tag: UInt8, _ vxid: UInt64, _ side: Side, _ payload: UnsafeRawBufferPointer,
    to bytes: inout [UInt8]
  ) {
    let count = min(payload.count, RecordHeader.payloadByteCountMax)
    unsafe withUnsafeTemporaryAllocation(byteCount: Layout.headerByteCount, alignment: 4) { header in
      guard let start = header.baseAddress else { return }
      unsafe Layout.writeHeader(to: start, tag: tag, payloadByteCount: count, vxid: vxid, side: side)
      unsafe bytes.append(contentsOf: header)
    }
    unsafe bytes.append(contentsOf: payload.prefix(count))
    for _ in count..<(count + 3) & ~3 { bytes.append(0) }
  }

  /// Counts the sessions that begin among records, if the log that is written has none.
  public mutating func noteSessions<Layout: RecordLayout>(_ run: RecordRun<Layout>) {
    guard target.isOld else { return }
    var cursor = run.makeCursor()
    while let record = cursor.next() {
      guard source.tag(record.tag) == .begin, record.payload.field(1)?.equals("sess") ?? false else {
        continue
      }
      omissions.sessions += 1
    }
  }

  // MARK: Records of connections

  /// Appends a record of 2.0 to 3.0 that belongs to no connection, such as one of the management's, to a log that has
  /// transactions.
  public mutating func append<Layout: RecordLayout>(
    unconnected record: Record<Layout>, to bytes: inout [UInt8]
  ) {
    guard let tag = source.tag(record.tag), Tag.unconnected.contains(tag) else { return }
    guard let number = table.number(of: tag) else { return omissions.note(record.tag) }
    let payload = record.payload
    if target == .v40 || target == .v41 {
      unsafe Self.write(NarrowRecords.self, number, 0, .none, payload.buffer, to: &bytes)
    } else {
      unsafe Self.write(WideRecords.self, number, 0, .none, payload.buffer, to: &bytes)
    }
  }

  /// Appends a record as it is, of one log without transactions to another.
  ///
  /// - Precondition: what is read and what is written are of 2.0 to 3.0.
  public mutating func append<Layout: RecordLayout>(single record: Record<Layout>, to bytes: inout [UInt8]) {
    precondition(source.numbering.isOld && target.isOld, "one of the logs has transactions")
    let tag = source.tag(record.tag)
    let payload = record.payload.droppingFinalNUL
    let descriptor = UInt32(truncatingIfNeeded: record.vxid)
    if tag == .debug, let kept = KeptRecord.record(in: payload), let number = table.number(of: kept.tag) {
      unsafe LegacyRecordBytes.append(
        tag: number, descriptor: descriptor, kept.payload.buffer, target, to: &bytes)
    } else if let number = tag.flatMap(table.number) {
      unsafe LegacyRecordBytes.append(tag: number, descriptor: descriptor, payload.buffer, target, to: &bytes)
    } else if let tag, KeptRecord.missing.contains(tag), let debug = table.number(of: .debug) {
      var text = KeptRecord.text(tag.name, payload.text)
      text.withUTF8 { utf8 in
        unsafe LegacyRecordBytes.append(
          tag: debug, descriptor: descriptor, UnsafeRawBufferPointer(utf8), target, to: &bytes)
      }
    } else {
      omissions.note(record.tag)
    }
  }
}
