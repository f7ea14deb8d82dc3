import LogWriting
import VarnishLog

/// Writes runs of records as a server does: those of a transaction in one piece, others each by itself.
struct RunPlayer: ~Copyable {
  /// What changes payloads on the way.
  var editor: PayloadEditor
  /// The numbers that transactions have in the captured log.
  private(set) var span = VXIDSpan()

  private let writer: LogWriter
  private var transaction: LogTransaction
  private let numbers: [UInt8]
  private let endNumber: UInt8?
  private var transactions = 0
  /// Bytes of records that are collected and not written.
  private var collected = 0

  /// So much a server collects before it writes a part.
  private static var pieceByteCount: Int { 16 << 10 }

  /// Prepares for records whose tags are numbered in a certain way.
  init(
    _ writer: LogWriter, _ numbering: TagNumbering, _ conversion: Conversion, editor: consuming PayloadEditor
  ) {
    self.writer = writer
    self.editor = editor
    transaction = writer.transaction(0, .none)
    numbers = conversion.numbers
    endNumber = TagTable(numbering).number(of: .end)
  }

  /// What has to be known of a run before it is written.
  struct Survey {
    /// When its last record with a time was written; nil if none has one.
    var recorded: Int64?
    /// Whether a transaction is complete with it.
    var endsTransaction = false
  }

  /// Looks through a run.
  ///
  /// - Parameter needsTimes: whether it matters when it was recorded.
  func survey<Layout: RecordLayout>(_ run: RecordRun<Layout>, needsTimes: Bool) -> Survey {
    var survey = Survey(endsTransaction: run.isBracketed)
    if run.isBracketed, !needsTimes { return survey }
    var cursor = run.makeCursor()
    while let record = cursor.next() {
      survey.endsTransaction = record.tag == endNumber
      if needsTimes, let clock = editor.clock(tag: record.tag, record.payload) { survey.recorded = clock }
    }
    return survey
  }

  /// Writes a run.
  mutating func play<Layout: RecordLayout>(_ run: RecordRun<Layout>, _ survey: Survey) {
    var cursor = run.makeCursor()
    guard let first = cursor.next() else { return }
    guard first.vxid > 0 else { return playSingly(run) }
    span.note(first.vxid)
    let vxid = editor.vxids?(first.vxid) ?? first.vxid
    transaction.begin(vxid, first.side)
    add(first)
    while let record = cursor.next() {
      if record.side != transaction.side {
        write()
        transaction.begin(vxid, record.side)
      }
      add(record)
    }
    write()
    if survey.endsTransaction { transactions += 1 }
  }

  /// How many transactions were written to their end since this was asked last.
  mutating func takeTransactions() -> Int {
    defer { transactions = 0 }
    return transactions
  }

  @inline(__always)
  private mutating func add<Layout: RecordLayout>(_ record: Record<Layout>) {
    let payload = editor.edit(tag: record.tag, record.payload)
    collected += Layout.headerByteCount + payload.count
    // One record more, and it would be written by itself anyway.
    if collected > Self.pieceByteCount {
      transaction.flush()
      collected = Layout.headerByteCount + payload.count
    }
    unsafe transaction.add(number: numbers[Int(record.tag)], payload: payload.buffer.bytes)
  }

  private mutating func write() {
    transaction.commit()
    collected = 0
  }

  private mutating func playSingly<Layout: RecordLayout>(_ run: RecordRun<Layout>) {
    var cursor = run.makeCursor()
    while let record = cursor.next() {
      let payload = editor.edit(tag: record.tag, record.payload)
      unsafe writer.append(number: numbers[Int(record.tag)], payload: payload.buffer.bytes, side: record.side)
    }
  }
}
