public import LogQuery
public import Transactions
public import VarnishLog

/// Shows groups as varnishlog does: as text, or as the records of a binary log (`grouping.md` 9).
public struct GroupRenderer: ~Copyable {
  /// The form in which groups are shown.
  public enum Form: Sendable, Equatable {
    /// Lines of text; verbose lines have the transaction's number and the side.
    case text(isVerbose: Bool)
    /// Records, as in binary files.
    case records
  }

  private let form: Form
  private let sides: SideSelection
  private var filter: RecordFilter
  private let text: RecordText
  private var prefix = LinePrefix()
  /// The transaction of a lone record's prefix.
  private var prefixVXID = UInt64.max

  /// Makes a renderer for a log.
  ///
  /// - Parameters:
  ///   - filter: which records are shown.
  ///   - version: the release whose way of printing payloads is used.
  ///   - isForTerminal: whether a terminal would obey control characters of payloads printed unchanged.
  public init(
    _ form: Form, sides: SideSelection, filter: consuming RecordFilter, tags: TagTable,
    version: VarnishVersion, isForTerminal: Bool = false
  ) {
    self.form = form
    self.sides = sides
    self.filter = filter
    text = RecordText(tags, version: version, isForTerminal: isForTerminal)
  }

  deinit {
    text.deallocate()
    prefix.deallocate()
  }

  /// The tags that a binary log must have: without them a reader can't tell which records belong together.
  public static func structuralTags(_ tags: TagTable) -> TagSet {
    var set = TagSet()
    for tag in [Tag.begin, .link, .end] {
      if let number = tags.number(of: tag) { set.insert(number) }
    }
    return set
  }

  /// Writes the records of a group that are shown, followed by an empty line if they are text.
  ///
  /// - Returns: whether anything is shown.
  @_specialize(exported:true,where Layout == NarrowRecords)
  @_specialize(exported:true,where Layout == WideRecords)
  public mutating func render<Layout: RecordLayout>(
    _ group: TransactionGroup<Layout>, to line: inout LineWriter
  ) -> Bool {
    var showsAny = false
    for index in 0..<group.count {
      let transaction = group[index]
      guard case .text(let isVerbose) = form else {
        // The reader of a binary log chooses the transactions; only records are chosen here.
        var cursor = transaction.makeCursor()
        while let record = cursor.next() { if shows(record) { copy(record, to: &line) } }
        continue
      }
      guard sides.includes(transaction) else { continue }
      showsAny = true
      var cursor = transaction.makeCursor()
      putHeader(transaction, isVerbose: isVerbose, to: &line)
      setPrefix(transaction, mark: UInt8(ascii: "-"), isVerbose: isVerbose)
      while let record = cursor.next() {
        guard shows(record) else { continue }
        // Records of another transaction may be among them, and have its number.
        if isVerbose, record.vxid != prefixVXID {
          setPrefix(transaction, mark: UInt8(ascii: "-"), vxid: record.vxid, isVerbose: true)
        }
        put(record, isVerbose: isVerbose, to: &line)
      }
    }
    if form == .records { return line.count > 0 || line.overflowed }
    if showsAny { Self.put("\n", to: &line) }
    return showsAny
  }

  /// Writes one record by itself, as the grouping `raw` does.
  ///
  /// - Returns: whether it is shown.
  @_specialize(exported:true,where Layout == NarrowRecords)
  @_specialize(exported:true,where Layout == WideRecords)
  public mutating func render<Layout: RecordLayout>(
    _ record: Record<Layout>, to line: inout LineWriter
  ) -> Bool {
    renderLone(record, to: &line)
  }

  @inline(__always)
  private mutating func renderLone<Layout: RecordLayout>(
    _ record: Record<Layout>, to line: inout LineWriter
  ) -> Bool {
    guard shows(record) else { return false }
    if form == .records {
      copy(record, to: &line)
    } else {
      let vxid = record.vxid
      if vxid != prefixVXID {
        prefix.clear()
        prefix.add(decimal: vxid, width: Self.numberWidth)
        prefix.add(UInt8(ascii: " "))
        prefixVXID = vxid
      }
      put(record, isVerbose: true, to: &line)
    }
    return true
  }

  /// Writes records on their own, one behind the other, until the next one finds no room.
  ///
  /// - Parameters:
  ///   - records: is advanced past the records that were written or are hidden.
  ///   - ends: receives the end of each record that is shown; as many records are written at most.
  /// - Returns: how many were written, how many are hidden, and whether the next one has no room.
  @_specialize(exported:true,where Layout == NarrowRecords)
  @_specialize(exported:true,where Layout == WideRecords)
  public mutating func render<Layout: RecordLayout>(
    each records: inout RecordCursor<Layout>, to lines: inout LineWriter,
    ends: UnsafeMutableBufferPointer<RecordEnd>
  ) -> (shown: Int, hidden: Int, isFull: Bool) {
    var shown = 0
    var hidden = 0
    while shown < ends.count {
      let (recordsBefore, linesBefore) = (records, lines)
      guard let record = records.next() else { break }
      guard renderLone(record, to: &lines) else {
        hidden += 1
        continue
      }
      if lines.overflowed {
        (records, lines) = (recordsBefore, linesBefore)
        return (shown, hidden, true)
      }
      unsafe ends[shown] = RecordEnd(text: lines.count, bytesLeft: records.rest.byteCount)
      shown += 1
    }
    return (shown, hidden, false)
  }

  private static let numberWidth = 10

  @inline(__always)
  private mutating func shows<Layout: RecordLayout>(_ record: Record<Layout>) -> Bool {
    guard sides.includes(record.side) else { return false }
    return filter.showsAll || filter.shows(tag: record.tag, payload: record.payload)
  }

  // MARK: Text

  private mutating func setPrefix<Layout>(
    _ transaction: Transaction<Layout>, mark: UInt8, vxid: UInt64? = nil, isVerbose: Bool
  ) {
    prefix.clear()
    prefix.add(level: transaction.level, mark: mark)
    prefixVXID = vxid ?? transaction.vxid
    if isVerbose {
      prefix.add(decimal: prefixVXID, width: Self.numberWidth)
      prefix.add(UInt8(ascii: " "))
    }
  }

  private mutating func putHeader<Layout>(
    _ transaction: Transaction<Layout>, isVerbose: Bool, to line: inout LineWriter
  ) {
    prefix.clear()
    prefix.add(level: transaction.level, mark: UInt8(ascii: "*"))
    unsafe line.put(atMost: LinePrefix.byteCountMax) { target in
      unsafe prefix.copy(to: target)
      return prefix.count
    }
    if isVerbose { Self.put("           ", to: &line) }
    switch transaction.type {
    case .unknown: Self.put("<< Unknown  >> ", to: &line)
    case .session: Self.put("<< Session  >> ", to: &line)
    case .request: Self.put("<< Request  >> ", to: &line)
    case .backendRequest: Self.put("<< BeReq    >> ", to: &line)
    }
    if isVerbose { Self.put("  ", to: &line) }
    prefix.clear()
    prefix.add(decimal: transaction.vxid, width: 0)
    while prefix.count < Self.numberWidth { prefix.add(UInt8(ascii: " ")) }
    prefix.add(UInt8(ascii: "\n"))
    unsafe line.put(atMost: LinePrefix.byteCountMax) { target in
      unsafe prefix.copy(to: target)
      return prefix.count
    }
  }

  private static func put(_ text: StaticString, to line: inout LineWriter) {
    unsafe line.put(atMost: text.utf8CodeUnitCount) { target in
      unsafe target.copyMemory(from: text.utf8Start, byteCount: text.utf8CodeUnitCount)
      return text.utf8CodeUnitCount
    }
  }

  /// Writes a record's line with the present prefix.
  @inline(__always)
  private mutating func put<Layout: RecordLayout>(
    _ record: Record<Layout>, isVerbose: Bool, to line: inout LineWriter
  ) {
    let payload = record.payload
    let entry = unsafe text[record.tag]
    let kind = unsafe entry.pointee.kind
    let textMax =
      kind == .plain ? payload.count : RecordText.expansion * payload.count + RecordText.enclosure
    // The name is written as two words, the side and the newline are three bytes.
    unsafe line.put(atMost: LinePrefix.byteCountMax + 16 + 3 + textMax + RecordText.overhang) { target in
      unsafe prefix.copy(to: target)
      var at = unsafe target + prefix.count
      unsafe at.storeBytes(of: entry.pointee.name.0, as: UInt64.self)
      unsafe at.storeBytes(of: entry.pointee.name.1, toByteOffset: 8, as: UInt64.self)
      unsafe at += RecordText.nameByteCount
      if isVerbose {
        unsafe at.storeBytes(of: Self.letter(record.side), as: UInt8.self)
        unsafe at.storeBytes(of: UInt8(ascii: " "), toByteOffset: 1, as: UInt8.self)
        unsafe at += 2
      }
      unsafe at += RecordText.put(payload, kind, to: at)
      unsafe at.storeBytes(of: UInt8(ascii: "\n"), as: UInt8.self)
      return unsafe at + 1 - target
    }
  }

  private static func letter(_ side: Side) -> UInt8 {
    switch side {
    case .none: UInt8(ascii: "-")
    case .client: UInt8(ascii: "c")
    case .backend: UInt8(ascii: "b")
    }
  }

  // MARK: Records

  private func copy<Layout: RecordLayout>(_ record: Record<Layout>, to line: inout LineWriter) {
    let bytes = record.bytes
    unsafe line.put(atMost: bytes.count) { target in
      unsafe target.copyMemory(from: bytes.start, byteCount: bytes.count)
      return bytes.count
    }
  }
}
