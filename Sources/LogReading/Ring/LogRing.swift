import CShims
package import SharedMemory
public import VarnishLog

/// The log of a running server: a ring of records in shared memory (`shm-layout.md` 6.3 to 6.6).
///
/// The ring is divided into eighths, called segments here as in the format's text, that the writer
/// numbers without end. The reader knows the number of the segment it is in; how far the writer's number is
/// ahead of it tells whether the memory is still what was written there. The check comes *after* the
/// records were used, because nothing stops the writer in between.
///
/// Segments are counted here from the log's beginning, in 64 bits. The number in the ring's head is the same modulo
/// its period. A reader that comes after an overflow knows the whole number only from a position.
public struct LogRing<Layout: RecordLayout, Head: RingHead>: LiveSource, ~Copyable {
  private let mapping: ReadOnlyMapping
  private let path: String
  /// Where the head lies in the mapping, and in the file, for messages.
  private let headOffset: Int, fileOffset: Int
  var head: Head
  let segmentWords: Int
  /// The size of the ring in words; what segments leave at its end belongs to the last one.
  let ringWords: Int
  private let stopsAtTail: Bool
  /// Which log it is: the file, and the process that writes it.
  public let incarnation: LogIncarnation
  /// What became of the position at which reading was to go on; nil if it didn't begin at a position.
  public private(set) var resumption: LogResumption?

  /// The next record's word and the segment it lies in.
  var nextWord: Int
  var segment: UInt64
  /// The segment that what was last handed out lies in.
  private var lentSegment: UInt64
  /// Set after damage: the segment whose successor is the next place known to be good.
  private var damagedSegment: UInt64?

  /// What is picked out of batches; nil until it is known.
  @usableFromInline var picks: RunPicks<Layout>?

  /// The marks where no record has been written yet, and where the ring starts over.
  static var endMark: UInt32 { 0xFE45_4545 }
  static var wrapMark: UInt32 { 0xFE57_5757 }
  /// How many segments behind the writer records may be overwritten at any moment.
  ///
  /// The ring is physically overwritten at seven or eight; the rest is the time that a check and its use
  /// may lie apart.
  static var unsafeDistance: UInt32 { 6 }

  /// Takes over a mapped log whose marker is there, and which has more bytes than the head.
  ///
  /// - Parameters:
  ///   - place: where in the mapping the log lies, inside of which it is.
  ///   - stopsAtTail: the end mark is the end of the input, not a pause.
  /// - Returns: nil if the server hasn't finished the head, or is about to change it.
  /// - Throws: `LogError.damaged` if the head doesn't describe a ring inside the mapping.
  package init?(
    _ mapping: consuming ReadOnlyMapping, at place: RingPlace, start: LogStart, stopsAtTail: Bool
  ) throws(LogError) {
    guard let head = unsafe Head(mapping.base + place.range.lowerBound),
      stopsAtTail || !head.isBeginning
    else { return nil }
    guard let sizes = head.sizes(logByteCount: place.range.count) else {
      throw place.damage("what the log's head says of its size doesn't fit \(place.range.count) bytes")
    }
    self.mapping = mapping
    self.head = head
    path = place.path
    headOffset = place.range.lowerBound
    fileOffset = place.fileOffset
    incarnation = place.incarnation
    self.stopsAtTail = stopsAtTail
    (segmentWords, ringWords) = sizes
    nextWord = 0
    segment = head.firstSight
    lentSegment = 0
    switch start {
    case .head:
      moveToHead()
    case .tail:
      moveToCurrentSegment()
      skipToTail()
    case .at(let position):
      resumption = resume(at: position)
    }
  }

  deinit { picks?.deallocate() }

  /// Whether records of no transaction are handed out too.
  public var includesUnattributed = false

  /// Records come in the batches they were written in.
  public static var recordsStandAlone: Bool { false }

  /// Whether the writer is still far enough from what was handed out last.
  public var isIntact: Bool {
    @_specialize(exported:true,where Layout == NarrowRecords, Head == NumberedRingHead)
    @_specialize(exported:true,where Layout == WideRecords, Head == NumberedRingHead)
    @_specialize(exported:true,where Layout == NarrowRecords, Head == TurningRingHead)
    get { writerDistance(from: lentSegment) < Self.unsafeDistance }
  }

  /// A ring gives no signal when it grows.
  public var waitDescriptor: Int32? { nil }

  /// Bytes from the beginning of the file.
  public func offset(of address: UnsafeRawPointer) -> Int {
    unsafe fileOffset + (address - mapping.base) - headOffset
  }

  /// Where reading goes on.
  public var nextPlace: UInt64 { place(ofWord: nextWord, in: segment) }

  /// The place of a word of the ring in the turn that a segment belongs to.
  func place(ofWord word: Int, in segment: UInt64) -> UInt64 {
    (segment / 8) &* UInt64(truncatingIfNeeded: byteCount) &+ UInt64(truncatingIfNeeded: word &* 4)
  }

  /// The size of the ring in bytes.
  public var byteCount: Int { ringWords * 4 }

  private var log: UnsafeRawPointer { unsafe mapping.base + headOffset }
  var ring: UnsafeRawPointer { unsafe log + Head.byteCount }

  /// How many segments the writer is ahead of one, modulo 2^32.
  func writerDistance(from segment: UInt64) -> UInt32 { head.writerDistance(from: segment) }

  /// Whether the reader is in a segment that the writer hasn't said it is in.
  ///
  /// For a moment that is so when the ring starts over: the wrap mark is there first.
  var isAhead: Bool { writerDistance(from: segment) > UInt32.max / 2 }

  /// The segment that is being written.
  private var writerSegment: UInt64 { head.writerSegment(seenFrom: segment) }

  /// Where a segment's first record starts; nil if it was never written or the entry is nonsense.
  func firstRecord(of segment: UInt64) -> Int? {
    let index = Int(segment % 8)
    let offset = unsafe Int(
      bitPattern: UInt(shim_load_acquire_u64(log + Head.firstRecordsOffset + index * 8)))
    return offset >= 0 && offset < ringWords ? offset : nil
  }

  mutating func moveToHead() {
    let newest = writerSegment
    // Five behind the writer is the oldest that can be told from an overwritten one; a young log has fewer.
    for distance in stride(from: UInt64(Self.unsafeDistance) - 1, through: 0, by: -1) {
      // A reader that has just come can't know how often the number overflowed, and takes the least.
      let older = newest >= distance ? newest - distance : newest + Head.segmentPeriod - distance
      if let start = firstRecord(of: older) {
        segment = older
        nextWord = start
        return
      }
    }
    segment = newest
    nextWord = 0
  }

  private mutating func moveToCurrentSegment() {
    segment = writerSegment
    nextWord = firstRecord(of: segment) ?? 0
  }

  private mutating func skipToTail() {
    while true {
      switch step() {
      case .records: continue
      case .overrun: moveToCurrentSegment()
      case .idle, .end, .damaged, .gap: return
      }
    }
  }

  /// The next batch, or single record, that belongs to a transaction.
  @_specialize(exported:true,where Layout == NarrowRecords, Head == NumberedRingHead)
  @_specialize(exported:true,where Layout == WideRecords, Head == NumberedRingHead)
  @_specialize(exported:true,where Layout == NarrowRecords, Head == TurningRingHead)
  public mutating func next() throws(LogError) -> SourceStep<Layout> {
    while true {
      let result = step()
      guard case .records(let run) = result else { return result }
      if unsafe run.isEmpty || (Layout.vxid(run.start) == 0 && !includesUnattributed) { continue }
      return .records(look(at: run))
    }
  }

  /// Sets which records are picked out of batches from now on.
  public mutating func pick(_ wish: PickWish, _ tags: TagTable) {
    picks?.deallocate()
    picks = RunPicks(tags, wish)
  }

  /// What was picked out of the batch that was handed out last; nil for any other.
  @inlinable
  public func picked(of run: RecordRun<Layout>) -> PickedRecords<Layout>? { picks?.picked(of: run) }

  /// Finds out whether a batch is a whole transaction, and picks records out of it.
  @inline(__always)
  private mutating func look(at run: RecordRun<Layout>) -> RecordRun<Layout> {
    guard let shape = picks?.look(at: run) else { return run }
    return unsafe RecordRun(start: run.start, byteCount: run.byteCount, place: run.place, shape: shape)
  }

  @inline(__always)
  private mutating func step() -> SourceStep<Layout> {
    while true {
      if let damagedSegment, let stopped = leave(damagedSegment) { return stopped }
      guard isAhead || writerDistance(from: segment) < Self.unsafeDistance else {
        return !stopsAtTail && head.isBeginning ? .idle : resumeAfterOverrun()
      }
      guard nextWord < ringWords else { return damage("the records reach past the end of the ring") }
      let word = unsafe shim_load_acquire_u32(ring + nextWord * 4)
      if word == Self.endMark {
        if Head.mayTurnUnmarked, isTurnOver {
          beginTurn()
          continue
        }
        return stopsAtTail ? .end : .idle
      }
      // Asked after the word was read: a server says that it is in a segment before it finishes a record
      // there. Going on would lead round the ring, again and again if the server doesn't write.
      guard !isAhead else { return damage("the records reach past where the server writes") }
      if word == Self.wrapMark {
        guard nextWord > 0 else { return damage("a wrap mark at the beginning of the ring") }
        beginTurn()
        continue
      }
      let tag = RecordHeader.tag(word)
      guard tag != 0, tag != 254 else {
        return damage("a record of tag \(tag), which no log has")
      }
      return lend(word, tag: tag)
    }
  }

  private mutating func beginTurn() {
    nextWord = 0
    segment = (segment | 7) &+ 1
  }

  /// Whether the server has begun anew for good, without a mark where the reader is.
  ///
  /// An end mark there may also be a record that a slow thread hasn't finished; so this is decided no sooner than the
  /// server has moved on by so much that none is left.
  private var isTurnOver: Bool {
    guard nextWord > 0, writerSegment / 8 > segment / 8 else { return false }
    return stopsAtTail || writerDistance(from: segment) > 2
  }

  /// Hands out the record or the batch's records at `nextWord` and moves behind them.
  @inline(__always)
  private mutating func lend(_ word: UInt32, tag: UInt8) -> SourceStep<Layout> {
    let room = (ringWords - nextWord) * 4
    let start = unsafe ring + nextWord * 4
    let header = Layout.headerByteCount
    var byteCount = Record<Layout>.byteCount(word)
    if tag == RecordHeader.batchTag, room >= header {
      byteCount = unsafe header + (Int(shim_load_acquire_u32(start + 4)) + 3) & ~3
    }
    guard byteCount <= room else {
      return damage("a record claims \(byteCount) bytes, but the ring has only \(room) left")
    }
    lentSegment = segment
    let skipped = tag == RecordHeader.batchTag ? header : 0
    let place = nextPlace &+ UInt64(truncatingIfNeeded: skipped)
    nextWord += byteCount / 4
    while min(nextWord / segmentWords, 7) > Int(segment % 8) { segment &+= 1 }
    return unsafe .records(RecordRun(start: start + skipped, byteCount: byteCount - skipped, place: place))
  }

  @inline(never)
  private mutating func resumeAfterOverrun() -> SourceStep<Layout> {
    .overrun(lostBytes: skipGap())
  }

  /// Moves to the oldest record that is still whole.
  ///
  /// - Returns: how many bytes that passes over.
  mutating func skipGap() -> Int {
    let place = nextPlace
    moveToHead()
    return nextPlace > place ? Int(clamping: nextPlace - place) : 0
  }

  @inline(never)
  private mutating func damage(_ problem: String) -> SourceStep<Layout> {
    if isAhead {
      damagedSegment = writerSegment
    } else {
      // The writer may have come round while we looked: then this is no damage.
      guard writerDistance(from: segment) < Self.unsafeDistance else { return resumeAfterOverrun() }
      damagedSegment = segment
    }
    return .damaged(
      .damaged(path: path, offset: fileOffset + Head.byteCount + nextWord * 4, problem: problem))
  }

  /// Goes on behind a damaged segment as soon as the writer has begun the next; until then, waits.
  private mutating func leave(_ damaged: UInt64) -> SourceStep<Layout>? {
    guard writerDistance(from: damaged) > 0, let start = firstRecord(of: damaged &+ 1) else {
      return stopsAtTail ? .end : .idle
    }
    segment = damaged &+ 1
    nextWord = start
    damagedSegment = nil
    return nil
  }

  // MARK: How far the reader has come

  /// How many bytes had been written, at least, in front of the next record; in a ring whose turns are
  /// counted from any number on, only those of the last two turns are known.
  public var overwrittenBytes: UInt64 {
    guard Head.mayTurnUnmarked else { return nextPlace }
    let newest = writerSegment
    for index: UInt64 in 0..<8 where firstRecord(of: newest &+ index) == nil { return 0 }
    let former = newest / 8 &* 8 &- 8
    return nextPlace &- place(ofWord: 0, in: former)
  }

  /// Where the reader is, in bytes, on a scale that goes on when the ring starts over; only differences count.
  public var readOffset: Int {
    (Int(truncatingIfNeeded: segment / 8 * 8) &* segmentWords &+ nextWord) &* 4
  }

  /// How many batches of records are looked at to find the end of the log.
  private static var lagBatchesMax: Int { 2048 }

  /// How many bytes have been written behind what was read last.
  ///
  /// Nothing but the records tells where in its segment the writer is. No more than some thousand batches are looked
  /// at for that; what a large segment has beyond them isn't counted.
  public var lagBytes: Int {
    guard !isAhead else { return 0 }
    let newest = writerSegment
    var at = nextWord
    var words = 0
    if newest != segment {
      at = firstRecord(of: newest) ?? Int(newest % 8) * segmentWords
      words =
        Int(newest &- segment) * segmentWords + (at - Int(newest % 8) * segmentWords)
        - (nextWord - Int(segment % 8) * segmentWords)
    }
    for _ in 0..<Self.lagBatchesMax {
      guard at < ringWords, let length = wordCount(at: at) else { break }
      at += length
      words += length
    }
    return max(0, words * 4)
  }

  /// How many words a record or batch has; nil if there is none, or none that fits the ring.
  private func wordCount(at position: Int) -> Int? {
    let start = unsafe ring + position * 4
    let room = (ringWords - position) * 4
    let word = unsafe shim_load_acquire_u32(start)
    let tag = RecordHeader.tag(word)
    guard word != Self.endMark, word != Self.wrapMark, tag != 0, tag != 254 else { return nil }
    var byteCount = Record<Layout>.byteCount(word)
    if tag == RecordHeader.batchTag, room >= Layout.headerByteCount {
      byteCount = unsafe Layout.headerByteCount + (Int(shim_load_acquire_u32(start + 4)) + 3) & ~3
    }
    return byteCount > 0 && byteCount <= room ? byteCount / 4 : nil
  }

  /// Looks for records that tell the tag numbering, without moving the reader.
  public func probe() -> NumberingProbe {
    var probe = NumberingProbe(Layout.self)
    let newest = writerSegment
    for distance in stride(from: UInt64(Self.unsafeDistance) - 1, through: 0, by: -1) {
      guard let start = firstRecord(of: newest &+ Head.segmentPeriod &- distance) else { continue }
      // Single records and batch headers alike: a batch's records follow its header.
      var at = start
      while at + Layout.headerByteCount / 4 <= ringWords, probe.result == nil {
        let word = unsafe shim_load_acquire_u32(ring + at * 4)
        let tag = RecordHeader.tag(word)
        guard tag != 0, tag != 254 else { break }
        let byteCount =
          tag == RecordHeader.batchTag ? Layout.headerByteCount : Record<Layout>.byteCount(word)
        guard byteCount <= (ringWords - at) * 4 else { break }
        unsafe probe.examine(
          tag: tag,
          payload: LogBytes(
            start: ring + at * 4 + Layout.headerByteCount, count: byteCount - Layout.headerByteCount))
        at += byteCount / 4
      }
      if probe.result != nil { break }
    }
    return probe
  }
}
