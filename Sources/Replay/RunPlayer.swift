import LogWriting
import Transactions
import VarnishLog

/// Iterates over records, independently of how they are stored.
protocol RecordWalk<Layout> {
  associatedtype Layout: RecordLayout
  /// The next record; nil at the end.
  mutating func next() -> Record<Layout>?
}

extension RecordCursor: RecordWalk {}
extension Transaction.Cursor: RecordWalk {}

/// Writes records as a server does: those of a transaction together, all others one by one.
struct RunPlayer: ~Copyable {
  /// Changes numbers and times in payloads.
  var editor: PayloadEditor
  /// The numbers that transactions have in the captured log.
  private(set) var span = VXIDSpan()

  private let writer: LogWriter
  private var transaction: LogTransaction
  private let conversion: Conversion
  private let endNumber: UInt8?
  private var transactions = 0
  /// Bytes of records that are collected but not written yet.
  private var collected = 0

  /// The number of bytes that a server collects before it writes a part of a transaction.
  private static var pieceByteCount: Int { 16 << 10 }

  /// Prepares for records with a numbering.
  init(
    _ writer: LogWriter, _ numbering: TagNumbering, _ conversion: Conversion, editor: consuming PayloadEditor
  ) {
    self.writer = writer
    self.editor = editor
    self.conversion = conversion
    transaction = writer.transaction(0, .none)
    endNumber = TagTable(numbering).number(of: .end)
  }

  /// What has to be known about records before they are written.
  struct Survey {
    /// The time of the last record that has one; nil if none has.
    var recorded: Int64?
    /// Whether the records complete a transaction.
    var endsTransaction = false
  }

  /// Surveys a run of records.
  ///
  /// - Parameter needsTimes: whether the time at which the run was recorded is needed.
  func survey<Layout: RecordLayout>(_ run: RecordRun<Layout>, needsTimes: Bool) -> Survey {
    if run.isBracketed, !needsTimes { return Survey(endsTransaction: true) }
    var cursor = run.makeCursor()
    return survey(&cursor, needsTimes: needsTimes, endsTransaction: run.isBracketed)
  }

  /// Surveys a whole transaction.
  func survey<Layout: RecordLayout>(_ transaction: Transaction<Layout>, needsTimes: Bool) -> Survey {
    guard needsTimes else { return Survey(endsTransaction: true) }
    var cursor = transaction.makeCursor()
    return survey(&cursor, needsTimes: true, endsTransaction: true)
  }

  private func survey(_ walk: inout some RecordWalk, needsTimes: Bool, endsTransaction: Bool) -> Survey {
    var survey = Survey(endsTransaction: endsTransaction)
    while let record = walk.next() {
      survey.endsTransaction = endsTransaction || record.tag == endNumber
      if needsTimes, let clock = editor.clock(tag: record.tag, record.payload) { survey.recorded = clock }
    }
    return survey
  }

  // MARK: Writing

  /// Writes a run of records: a piece of a transaction, or records that belong to none.
  mutating func play<Layout: RecordLayout>(_ run: RecordRun<Layout>, _ survey: Survey) {
    var cursor = run.makeCursor()
    if unsafe Layout.vxid(run.start) > 0 { play(&cursor, survey) } else { playSingly(&cursor) }
  }

  /// Writes a whole transaction.
  mutating func play<Layout: RecordLayout>(_ transaction: Transaction<Layout>, _ survey: Survey) {
    var cursor = transaction.makeCursor()
    play(&cursor, survey)
  }

  /// Writes a record of 2.0 to 3.0 that belongs to no connection.
  ///
  /// - Parameter number: the number of the record's tag in the live log.
  mutating func play<Layout: RecordLayout>(single run: RecordRun<Layout>, number: UInt8) {
    var cursor = run.makeCursor()
    guard let record = cursor.next() else { return }
    unsafe writer.append(number: number, payload: record.payload.buffer.bytes, side: .none)
  }

  /// How many transactions were completed since the last call.
  mutating func takeTransactions() -> Int {
    defer { transactions = 0 }
    return transactions
  }

  private mutating func play(_ walk: inout some RecordWalk, _ survey: Survey) {
    guard let first = walk.next() else { return }
    span.note(first.vxid)
    let vxid = editor.vxids?(first.vxid) ?? first.vxid
    transaction.begin(vxid, first.side)
    add(first)
    while let record = walk.next() {
      if record.side != transaction.side {
        write()
        transaction.begin(vxid, record.side)
      }
      add(record)
    }
    write()
    if survey.endsTransaction { transactions += 1 }
  }

  @inline(__always)
  private mutating func add<Layout: RecordLayout>(_ record: Record<Layout>) {
    let payload = editor.edit(tag: record.tag, record.payload)
    collected += Layout.headerByteCount + payload.count
    // As a server does: with this record, the piece would be larger than one that it collects.
    if collected > Self.pieceByteCount {
      transaction.flush()
      collected = Layout.headerByteCount + payload.count
    }
    unsafe transaction.add(number: conversion.numbers[Int(record.tag)], payload: payload.buffer.bytes)
  }

  private mutating func write() {
    transaction.commit()
    collected = 0
  }

  private mutating func playSingly(_ walk: inout some RecordWalk) {
    while let record = walk.next() {
      let payload = editor.edit(tag: record.tag, record.payload)
      unsafe writer.append(
        number: conversion.numbers[Int(record.tag)], payload: payload.buffer.bytes, side: record.side)
    }
  }
}
