import CShims
public import VarnishLog

/// The log of a running server of 2.0 to 3.0: records in shared memory that the server overwrites from the beginning
/// when it has come to the end (`shm-layout.md` 2.2, 3.4).
///
/// Only the records in front of a record tell where it begins, and nothing holds the server up. So each
/// record is copied first; then the server's place tells whether it can have touched the record; and only
/// then is the copy made into what is handed out, which nothing overwrites any more.
@safe public struct LegacyRing<Format: LegacyFormat>: LiveSource, ~Copyable {
  /// The layout of today's logs, into which records are converted.
  public typealias Layout = WideRecords

  // Invariant: `copy` has room for the longest record, and all that is copied lies within the area.

  private let area: LegacyLogArea
  private let stopsAtTail: Bool
  private var writer: LegacyWriter
  /// The next record's place.
  private var at: LegacyWriter.Place
  private var maker = TransactionMaker(Format.numbering)
  private var single = SingleRecord(Format.numbering)
  /// A copy of the record that is looked at.
  private let copy: UnsafeMutableRawBufferPointer
  /// Where the server was when reading began, if reading is to end there.
  private var endPlace: UInt64 = .max
  /// The turn that the server was seen to have left: only a copy made afterwards is sure to have what was
  /// written in it.
  private var finishedTurn: UInt64?
  /// Set after damage: nothing can be read before the server has begun the next turn.
  private var waitsForTurn = false

  /// Which log it is.
  public let incarnation: LogIncarnation
  /// What became of the position at which reading was to go on; nil if it didn't begin at a position.
  public private(set) var resumption: LogResumption?
  /// How many bytes had been written, at least, in front of what could be read first.
  public private(set) var overwrittenBytes: UInt64 = 0

  /// The longest record that there can be.
  private static var copyByteCount: Int { Format.headerByteCount + RecordHeader.payloadByteCountMax + 4 }
  /// In 3.0 the first word counts the turns.
  private static var firstOffset: Int { Format.numbering == .v30 ? 4 : 0 }

  /// Takes over the log where it lies.
  ///
  /// - Parameter stopsAtTail: the end of what is there is the end of the input, not a pause.
  package init(_ area: consuming LegacyLogArea, start: LogStart, stopsAtTail: Bool) {
    incarnation = area.incarnation
    self.stopsAtTail = stopsAtTail
    unsafe copy = .allocate(byteCount: Self.copyByteCount, alignment: 16)
    writer = LegacyWriter(area, firstOffset: Self.firstOffset)
    at = LegacyWriter.Place(turn: Format.numbering == .v20 ? 0 : area.turn ?? 0, offset: Self.firstOffset)
    self.area = area
    switch start {
    case .head: break
    case .tail: skipToTail()
    case .at(let position): resumption = resume(at: position)
    }
    // In 3.0, turns are counted from any number on, which says nothing of how much was written.
    if Format.numbering != .v30 { overwrittenBytes = place(of: at) }
    guard stopsAtTail else { return }
    let end = writerPlace()
    // In 3.0, reading ends where the walk does; at the latest, a turn later.
    endPlace =
      Format.numbering == .v30
      ? place(of: at) &+ UInt64(truncatingIfNeeded: self.area.byteCount) : max(place(of: end), place(of: at))
  }

  deinit { unsafe copy.deallocate() }

  /// A transaction comes in one piece.
  public static var recordsStandAlone: Bool { false }
  /// The log has only the records of connections; transactions are made of them.
  public static var makesTransactions: Bool { true }
  /// The numbering that single records have.
  public var singleNumbering: TagNumbering? { Format.numbering }
  /// How many transactions were left out.
  public var incompleteCount: Int { maker.givenUpCount }
  /// The numbering that transactions have.
  public static var numbering: TagNumbering { TransactionMaker.numbering }
  /// Whether single records are handed out too, beside the transactions that are made of them.
  public var includesUnattributed = false
  /// What was handed out is a copy that was checked.
  public var isIntact: Bool { true }
  /// None: only looking again shows new records.
  public var waitDescriptor: Int32? { nil }
  /// Where reading goes on.
  public var nextPlace: UInt64 { place(of: at) }
  /// Where the oldest request begins that hasn't been handed out.
  public var restartPlace: UInt64 { min(maker.openPlace ?? nextPlace, nextPlace) }
  /// Where reading goes on: what is handed out was made, and has no place in the file.
  public func offset(of address: UnsafeRawPointer) -> Int { area.range.lowerBound + at.offset }
  /// The size of the log in bytes.
  public var byteCount: Int { area.byteCount }
  /// The same as `nextPlace`.
  public var readOffset: Int { Int(truncatingIfNeeded: nextPlace) }

  /// How far the server is ahead, as far as that is known.
  public var lagBytes: Int {
    var writer = writer
    let there = writer.place(in: area, seenFrom: at)
    return Int(truncatingIfNeeded: max(place(of: there), nextPlace) - nextPlace)
  }

  private func place(of place: LegacyWriter.Place) -> UInt64 {
    min(place.turn, LogPosition.placeMax / UInt64(max(1, area.byteCount))) &* UInt64(area.byteCount)
      &+ UInt64(place.offset)
  }

  // MARK: Reading

  /// The next transaction, or the next record by itself.
  public mutating func next() throws(LogError) -> SourceStep<WideRecords> {
    while true {
      if let run = maker.next() { return .records(run) }
      if stopsAtTail, nextPlace >= endPlace { return .end }
      switch step() {
      case .record(let place):
        if includesUnattributed, let run = pendingSingle(from: place) { return .records(run) }
      case .turned, .unsettled: continue
      case .idle: return stopsAtTail ? .end : .idle
      case .overtaken:
        let lost = catchUp()
        return .overrun(lostBytes: lost)
      case .damaged(let offset):
        defer { passOverDamage() }
        return .damaged(
          .damaged(
            path: area.path, offset: area.range.lowerBound + offset,
            problem: "no record of Varnish \(Format.numbering.releases)"))
      }
    }
  }

  private enum Step {
    /// A record was copied, found whole and taken in.
    case record(from: UInt64)
    case turned
    /// The server was still in the turn when the record was copied, and has left it since: it is to be copied again.
    case unsettled
    case idle
    case overtaken
    case damaged(at: Int)
  }

  private mutating func step() -> Step {
    if waitsForTurn {
      guard writerPlace().turn > at.turn else { return .idle }
      at = LegacyWriter.Place(turn: writerPlace().turn, offset: Self.firstOffset)
      waitsForTurn = false
    }
    let item = copyItem(at: at.offset)
    // The copy counts only if the server can't have overwritten the record meanwhile.
    guard let there = placeOfHarmlessWriter() else { return .overtaken }
    let isSameTurn = there.turn == at.turn
    if !isSameTurn, finishedTurn != at.turn {
      // The copy may be of what was here before the server came by in this turn.
      finishedTurn = at.turn
      return .unsettled
    }
    // In 2.x the server says how far it is; behind that place are the records of the turn before.
    let knownEnd = isSameTurn && Format.numbering != .v30 ? there.offset : nil
    if let knownEnd, at.offset >= knownEnd { return .idle }
    switch item {
    case .record(let record, let byteCount):
      if let knownEnd, at.offset + byteCount > knownEnd { return .damaged(at: at.offset) }
      let from = nextPlace
      at.offset += byteCount
      maker.take(record, at: from, to: nextPlace)
      return .record(from: from)
    case .wrap:
      // A server that starts over says so before it leaves the wrap mark.
      guard !isSameTurn else { return .damaged(at: at.offset) }
      at = LegacyWriter.Place(turn: turn(after: at.turn), offset: Self.firstOffset)
      return .turned
    case .end:
      guard Format.numbering == .v30, !isSameTurn else { return .idle }
      // The server has started over, without a mark where it had been.
      at = LegacyWriter.Place(turn: LegacyWriter.turn(area, near: at.turn), offset: Self.firstOffset)
      return .turned
    case .incomplete, .damaged: return .damaged(at: at.offset)
    }
  }

  /// The record that was taken in last, as a run of its own.
  private mutating func pendingSingle(from place: UInt64) -> RecordRun<WideRecords>? {
    guard let base = unsafe copy.baseAddress else { return nil }
    let item = unsafe Format.item(at: base, byteCount: copy.count)
    guard case .record(let record, _) = item else { return nil }
    return single.make(of: record, at: place, to: nextPlace)
  }

  /// Copies the record or mark at an offset, and reads the copy.
  private func copyItem(at offset: Int) -> LegacyItem {
    let left = area.byteCount - offset
    guard left > 0, let target = unsafe copy.baseAddress else { return .damaged }
    let source = unsafe area.start + offset
    // The header first, as it says how long the record is; then all of the record, whose header is read
    // again.
    let headCount = min(left, Format.headerByteCount)
    unsafe load(headCount, from: source, to: target)
    switch unsafe Format.item(at: target, byteCount: headCount) {
    case .record(_, let byteCount), .incomplete(let byteCount):
      guard byteCount <= left, unsafe byteCount <= copy.count else { return .damaged }
      unsafe load(byteCount, from: source, to: target)
      let item = unsafe Format.item(at: target, byteCount: byteCount)
      // If the length has changed meanwhile, this is no record, which the server's place will show.
      if case .incomplete = item { return .damaged }
      return item
    case let mark: return mark
    }
  }

  /// Copies bytes that may change meanwhile; the first of them, which the server stores last, is seen before the
  /// others.
  private func load(_ count: Int, from source: UnsafeRawPointer, to target: UnsafeMutableRawPointer) {
    if Format.alignment == 4 {
      _ = unsafe shim_load_acquire_u32(source)
    } else {
      _ = unsafe source.load(as: UInt8.self)
      shim_fence_acquire()
    }
    unsafe target.copyMemory(from: source, byteCount: count)
  }

  private mutating func writerPlace() -> LegacyWriter.Place {
    writer.place(in: area, seenFrom: at)
  }

  /// Where the server is; nil if it may have overwritten what lies at the present place.
  private mutating func placeOfHarmlessWriter() -> LegacyWriter.Place? {
    shim_fence_acquire()
    guard area.isInPlace else { return nil }
    let there = writerPlace()
    if there.turn == at.turn { return there }
    let isAhead =
      there.turn == turn(after: at.turn) && there.offset + LegacyWriter.margin(in: area) < at.offset
    return isAhead ? there : nil
  }

  private func turn(after turn: UInt64) -> UInt64 { LegacyWriter.turn(after: turn, in: area.generation) }

  /// Notes that another process writes the log from now on, in the same place.
  public mutating func noteTakeover() {
    maker.forget()
    guard writer.recount(in: area, seenFrom: at) else { return }
    at = LegacyWriter.Place(turn: turn(after: at.turn), offset: Self.firstOffset)
  }

  // MARK: Going on elsewhere

  /// Goes on at the beginning of the turn that the server is in: records are known to begin there.
  ///
  /// - Returns: how many bytes were overwritten before they were read.
  private mutating func catchUp() -> Int {
    let from = nextPlace
    let there = writerPlace()
    at = LegacyWriter.Place(turn: max(there.turn, at.turn), offset: Self.firstOffset)
    if nextPlace < from { at.turn = turn(after: at.turn) }
    maker.forget()
    waitsForTurn = !area.isInPlace || nextPlace == from
    let lost = nextPlace > from ? nextPlace - from : 0
    // If turns are counted from another number now, the difference says nothing.
    let isKnown = lost / UInt64(area.byteCount) < UInt64(UInt32.max / 2)
    return isKnown ? Int(truncatingIfNeeded: lost) : area.byteCount
  }

  /// Moves to the next place at which a record is known to begin: where the server is, if it says so, or the
  /// next turn.
  private mutating func passOverDamage() {
    maker.forget()
    let there = writerPlace()
    if Format.numbering != .v30, there.turn > at.turn || there.offset > at.offset {
      at = there.turn > at.turn ? LegacyWriter.Place(turn: there.turn, offset: Self.firstOffset) : there
    } else {
      waitsForTurn = true
    }
  }

  private mutating func skipToTail() {
    let there = writerPlace()
    if Format.numbering != .v30 {
      at = there
      return
    }
    // The records on the way tell the sides of connections, and aren't handed out.
    while true {
      switch step() {
      case .record: while maker.next() != nil {}
      case .turned, .unsettled: continue
      case .idle, .overtaken, .damaged: return maker.forget()
      }
    }
  }

  /// Moves to a position if the log still has it; else, reading begins with the present turn.
  private mutating func resume(at target: LogPosition) -> LogResumption {
    guard target.incarnation == incarnation else { return .otherIncarnation }
    // If turns aren't counted, nothing tells whether the position's turn is the present one.
    guard Format.numbering != .v20, area.turn != nil else { return .incomparable }
    let (turn, offset) = target.place.quotientAndRemainder(dividingBy: UInt64(area.byteCount))
    let wanted = LegacyWriter.Place(turn: turn, offset: Int(offset))
    let unknown = at
    var head = at
    // 3.0 counts turns in 32 bits; places go on beyond them, from the turn that the position had.
    if Format.numbering == .v30 { head.turn = LegacyWriter.turn(area, near: turn) }
    guard turn <= head.turn, head.turn - turn < UInt64(UInt32.max / 2), wanted.offset >= Self.firstOffset,
      wanted.offset % Format.alignment == 0
    else { return .incomparable }
    at = wanted
    guard placeOfHarmlessWriter() != nil else {
      at = head
      return .overrun(lostBytes: Int(truncatingIfNeeded: max(nextPlace, target.place) - target.place))
    }
    // In the present turn, the records in front of the position must lead to it, and the server must have
    // come as far; in a former turn, the records behind the position must lead to the turn's end.
    let isThere =
      turn == head.turn
      ? leads(from: Self.firstOffset, to: wanted.offset) && wanted.offset <= area.writeOffset ?? wanted.offset
      : leadsToEnd(from: wanted.offset)
    guard isThere else {
      at = unknown
      return .incomparable
    }
    return .held
  }

  private mutating func leads(from first: Int, to offset: Int) -> Bool {
    var present = first
    while present < offset {
      guard case .record(let record, let byteCount) = copyItem(at: present) else { return false }
      maker.passOver(record)
      single.passOver(record)
      present += byteCount
    }
    return present == offset
  }

  private func leadsToEnd(from offset: Int) -> Bool {
    var present = offset
    while present < area.byteCount {
      switch copyItem(at: present) {
      case .record(_, let byteCount): present += byteCount
      case .wrap: return true
      case .end, .incomplete, .damaged: return false
      }
    }
    return false
  }
}
