/// One record, seen where it lies.
@frozen @safe
public struct Record<Layout: RecordLayout> {
  @usableFromInline package let start: UnsafeRawPointer
  @usableFromInline package let word: UInt32

  @inlinable
  package init(start: UnsafeRawPointer, word: UInt32) {
    unsafe self.start = start
    self.word = word
  }

  /// The tag's number in the log's numbering.
  @inlinable public var tag: UInt8 { RecordHeader.tag(word) }

  /// The payload with everything the length covers, so usually with a final NUL.
  @inlinable
  public var payload: LogBytes {
    unsafe LogBytes(
      start: start + Layout.headerByteCount, count: RecordHeader.payloadByteCount(word))
  }

  /// The transaction's number; 0 for a record that belongs to none.
  @inlinable public var vxid: UInt64 { unsafe Layout.vxid(start) }

  /// The side it is marked with.
  @inlinable public var side: Side { unsafe Layout.side(start) }

  /// Where it starts, for finding its offset in the source.
  @inlinable public var address: UnsafeRawPointer { unsafe start }

  /// The whole record, header and padding included.
  @inlinable
  public var bytes: LogBytes { unsafe LogBytes(start: start, count: Self.byteCount(word)) }

  /// The size a header's first word announces: header, payload, and padding to a whole word.
  @inlinable
  public static func byteCount(_ word: UInt32) -> Int {
    // At most 64 KiB and a header, which is whole words itself: nothing here can overflow.
    (RecordHeader.payloadByteCount(word) &+ (Layout.headerByteCount &+ 3)) & ~3
  }
}

/// Records that lie one after another in readable memory.
///
/// It is no larger than four words, even as a part of `SourceStep`, so that functions return it in registers.
/// Returned in memory, it is written word by word and read two words at a time, which the processor waits for: a
/// twentieth of a conversion's time.
@frozen @safe
public struct RecordRun<Layout: RecordLayout> {
  /// The first record's header.
  public let start: UnsafeRawPointer
  /// Where in its log the run begins, as in `LogPosition`; 0 for records that lie in no log, such as copies.
  public let place: UInt64
  /// Where in its log the run ends.
  public let endPlace: UInt64
  @usableFromInline let size: UInt32
  /// What the source has found out about the run while it looked for its end.
  public let shape: Shape

  /// What is known of the records of a run.
  public enum Shape: UInt8, Sendable {
    /// Any records.
    case unknown
    /// A `Begin`, records of no meaning for grouping, with `Link`s among them, and an `End`.
    case linked
    /// As `linked`, without a `Link`.
    case plain
    /// A `Begin`, and no `End`.
    case begun
    /// Neither a `Begin` nor an `End`.
    case inner
    /// An `End` at its end, and no `Begin`.
    case ended
    /// One record of a log that has no transactions.
    case single

    /// Whether it is a part of a transaction.
    @inlinable public var isPart: Bool { self == .begun || self == .inner || self == .ended }
  }

  /// How many bytes may be read from `start`.
  @inlinable public var byteCount: Int { Int(size) }

  /// Whether it is known to be a transaction from its `Begin` to its `End`.
  @inlinable public var isBracketed: Bool { shape == .plain || shape == .linked }

  /// Whether it is known to be a part of a transaction.
  @inlinable public var isPart: Bool { shape.isPart }

  /// Views records in `byteCount` readable bytes at a word boundary, of which those behind 4 GiB aren't seen.
  @inlinable
  public init(start: UnsafeRawPointer, byteCount: Int, place: UInt64 = 0, shape: Shape = .unknown) {
    unsafe self.start = start
    size = UInt32(clamping: byteCount)
    self.place = place
    endPlace = place &+ UInt64(size)
    self.shape = shape
  }

  /// Views records that were made of others, and so aren't as long as their place in the log.
  ///
  /// - Parameters:
  ///   - place: where the first of the others begins.
  ///   - endPlace: where the last of them ends.
  @inlinable
  public init(
    start: UnsafeRawPointer, byteCount: Int, madeOf place: UInt64, to endPlace: UInt64, shape: Shape
  ) {
    unsafe self.start = start
    size = UInt32(clamping: byteCount)
    self.place = place
    self.endPlace = endPlace
    self.shape = shape
  }

  /// A run without records.
  @inlinable
  public static var empty: RecordRun {
    unsafe RecordRun(start: UnsafeRawPointer(bitPattern: 4).unsafelyUnwrapped, byteCount: 0)
  }

  /// Where in its log one of its records begins.
  @inlinable
  public func place(of record: Record<Layout>) -> UInt64 {
    unsafe place &+ UInt64(truncatingIfNeeded: record.address - start)
  }

  /// Whether there is no record in it.
  @inlinable public var isEmpty: Bool { byteCount < Layout.headerByteCount }

  /// A cursor before the first record.
  @inlinable
  public func makeCursor() -> RecordCursor<Layout> {
    unsafe RecordCursor(position: start, remaining: byteCount)
  }
}

/// Walks the records of a run.
///
/// Each header word is read once, decided on, and compared with what is left before the payload is
/// touched; so the walk stays inside the run even if the memory changes under it.
@frozen @safe
public struct RecordCursor<Layout: RecordLayout> {
  @usableFromInline package var position: UnsafeRawPointer
  @usableFromInline package var remaining: Int

  @inlinable
  package init(position: UnsafeRawPointer, remaining: Int) {
    unsafe self.position = position
    self.remaining = remaining
  }

  /// The next record; nil at the end, or if what is left is no whole record.
  @inlinable
  public mutating func next() -> Record<Layout>? {
    guard remaining >= Layout.headerByteCount else { return nil }
    let word = unsafe position.load(as: UInt32.self)
    let byteCount = Record<Layout>.byteCount(word)
    guard byteCount <= remaining else { return nil }
    let record = unsafe Record<Layout>(start: position, word: word)
    unsafe position += byteCount
    // byteCount <= remaining, as was just checked.
    remaining &-= byteCount
    return record
  }

  /// What has not been walked yet.
  @inlinable
  public var rest: RecordRun<Layout> { unsafe RecordRun(start: position, byteCount: remaining) }
}
