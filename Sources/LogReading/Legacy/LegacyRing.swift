import CShims
public import VarnishLog

/// The log of a running server of 2.0 to 3.0: records in shared memory that the server overwrites from the beginning
/// when it has come to the end (`shm-layout.md` 2.2, 3.4).
///
/// Nothing says where records begin but those in front of them, and nothing holds the server up. So each record is copied
/// first; then is looked whether the server can have touched it; and only then it is made into what is handed out, which
/// nothing overwrites any more.
@safe public struct LegacyRing<Format: LegacyFormat>: LiveSource, ~Copyable {
  /// That of today's logs.
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
  /// Where the server was when reading began, if it is to end there.
  private var endPlace: UInt64 = .max
  /// The turn that the server was seen to have left: only what is copied after that is all of it.
  private var finishedTurn: UInt64?
  /// Set after damage: nothing can be read before the server has begun the next turn.
  private var waitsForTurn = false

  /// Which log it is.
  public let incarnation: LogIncarnation
  /// What became of the position that reading was to go on at; nil if it began otherwise.
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
    // 3.0 begins to count anywhere.
    if Format.numbering != .v30 { overwrittenBytes = place(of: at) }
    guard stopsAtTail else { return }
    let end = writerPlace()
    // In 3.0 that is where the walk ends; at the latest, a turn later.
    endPlace =
      Format.numbering == .v30
      ? place(of: at) &+ UInt64(truncatingIfNeeded: self.area.byteCount) : max(place(of: end), place(of: at))
  }

  deinit { unsafe copy.deallocate() }

  /// A transaction comes in one piece.
  public static var recordsStandAlone: Bool { false }
  /// A connection's records are no transaction.
  public static var makesTransactions: Bool { true }
  /// The numbering that single records have.
  public var singleNumbering: TagNumbering? { Format.numbering }
  /// Transactions that were left out.
  public var incompleteCount: Int { maker.givenUpCount }
  /// The numbering that transactions have.
  public static var numbering: TagNumbering { TransactionMaker.numbering }
  /// Whether records come out by themselves, too.
  public var includesUnattributed = false
  /// What was handed out is a copy that was checked.
  public var isIntact: Bool { true }
  /// Only looking again tells.
  public var waitDescriptor: Int32? { nil }
  /// Where reading goes on.
  public var nextPlace: UInt64 { place(of: at) }
  /// Where the oldest request begins that hasn't come out.
  public var restartPlace: UInt64 { min(maker.openPlace ?? nextPlace, nextPlace) }
  /// What comes out lies nowhere in the file; this is where reading goes on.
  public func offset(of address: UnsafeRawPointer) -> Int { area.range.lowerBound + at.offset }
  /// The size of the log in bytes.
  public var byteCount: Int { area.byteCount }
  /// The same as the place.
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
    // What was copied counts only if the server can't have been there meanwhile.
    guard let there = placeOfHarmlessWriter() else { return .overtaken }
    let isSameTurn = there.turn == at.turn
    if !isSameTurn, finishedTurn != at.turn {
      // What was copied may be what lay there before the server came by for the last time in this turn.
      finishedTurn = at.turn
      return .unsettled
    }
    // In 2.x the server says how far it is; what lies behind that in its own turn is of the one before.
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
      // A server that goes on at the beginning has said so before it leaves the mark.
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

  /// The record that was taken in last, by itself.
  private mutating func pendingSingle(from place: UInt64) -> RecordRun<WideRecords>? {
    guard let base = unsafe copy.baseAddress else { return nil }
    let item = unsafe Format.item(at: base, byteCount: copy.count)
    guard case .record(let record, _) = item else { return nil }
    return single.make(of: record, at: place, to: nextPlace)
  }

  /// Copies what lies at an offset, and looks at the copy.
  private func copyItem(at offset: Int) -> LegacyItem {
    let left = area.byteCount - offset
    guard left > 0, let target = unsafe copy.baseAddress else { return .damaged }
    let source = unsafe area.start + offset
    // The head first, as it says how much there is; then all of it, head included, which is looked at again.
    let headCount = min(left, Format.headerByteCount)
    unsafe load(headCount, from: source, to: target)
    switch unsafe Format.item(at: target, byteCount: headCount) {
    case .record(_, let byteCount), .incomplete(let byteCount):
      guard byteCount <= left, unsafe byteCount <= copy.count else { return .damaged }
      unsafe load(byteCount, from: source, to: target)
      let item = unsafe Format.item(at: target, byteCount: byteCount)
      // The length may be another one by now; then this is no record, which the server's place will tell.
      if case .incomplete = item { return .damaged }
      return item
    case let mark: return mark
    }
  }

  /// Copies bytes that may change meanwhile; the first of them, which the server stores last, is seen before the others.
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

  /// Another process writes the log where it is.
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
    // A count that has begun anywhere else says nothing.
    let isKnown = lost / UInt64(area.byteCount) < UInt64(UInt32.max / 2)
    return isKnown ? Int(truncatingIfNeeded: lost) : area.byteCount
  }

  /// Where a record comes again, behind what isn't one: where the server is, if it says so, or the next turn.
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
    // What passes by tells the sides of connections; nothing of it is handed out.
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
    // Where turns aren't counted, nothing tells whether it is still the same one.
    guard Format.numbering != .v20, area.turn != nil else { return .incomparable }
    let (turn, offset) = target.place.quotientAndRemainder(dividingBy: UInt64(area.byteCount))
    let wanted = LegacyWriter.Place(turn: turn, offset: Int(offset))
    let unknown = at
    var head = at
    // It counts in fewer bits than places have, which go on where they had been.
    if Format.numbering == .v30 { head.turn = LegacyWriter.turn(area, near: turn) }
    guard turn <= head.turn, head.turn - turn < UInt64(UInt32.max / 2), wanted.offset >= Self.firstOffset,
      wanted.offset % Format.alignment == 0
    else { return .incomparable }
    at = wanted
    guard placeOfHarmlessWriter() != nil else {
      at = head
      return .overrun(lostBytes: Int(truncatingIfNeeded: max(nextPlace, target.place) - target.place))
    }
    // Of the present turn, the records in front of it must lead there, and the server must have come as far; of a former
    // one, those behind it must lead to its end.
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
