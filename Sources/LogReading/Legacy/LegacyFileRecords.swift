public import VarnishLog

/// The records of a binary log file of 2.0 to 3.0, made into those of today's logs.
///
/// Records come out as transactions (`TransactionMaker`), and, where that is asked for, by themselves, as they are but
/// for the layout: with the connection's number in place of a transaction's, and the side that the connection has by
/// then.
public struct LegacyFileRecords<Format: LegacyFormat>: LogFileSource, ~Copyable {
  /// The layout of today's logs, into which records are converted.
  public typealias Layout = WideRecords

  private var window: FileWindow
  /// Where in the window the next record begins.
  private var offsetInWindow = 0
  private var maker = TransactionMaker(Format.numbering)
  private var single = SingleRecord(Format.numbering)
  private let known: TagSet

  /// The records of tags that the generation doesn't have; nil if there were none.
  public private(set) var unknownTags: UnknownTags?

  /// Prepares for reading from the file's beginning.
  public init(_ file: consuming LogFile) {
    window = FileWindow(file)
    var known = TagSet()
    let table = TagTable(Format.numbering)
    for number in RecordHeader.tagNumbers where table.tag(number) != nil { known.insert(number) }
    self.known = known
  }

  /// Nothing to do: the numbering is known.
  public mutating func begin() throws(LogError) {}

  /// The numbering that single records have.
  public var singleNumbering: TagNumbering? { Format.numbering }
  /// How many transactions were left out.
  public var incompleteCount: Int { maker.givenUpCount }
  /// The numbering that transactions have.
  public var numbering: TagNumbering { TransactionMaker.numbering }

  /// The log has only the records of connections; transactions are made of them.
  public static var makesTransactions: Bool { true }

  /// Whether single records are handed out too, beside the transactions that are made of them.
  public var includesUnattributed = false

  /// A transaction comes in one piece.
  public static var recordsStandAlone: Bool { false }

  /// Whether the file is compressed, so that offsets count decoded bytes.
  public var isDecoded: Bool { window.isDecoded }

  /// Which file it is.
  public var incarnation: LogIncarnation { window.incarnation }

  /// Where reading goes on: bytes from the beginning of the file, or of what was decoded from it.
  public var nextPlace: UInt64 { UInt64(truncatingIfNeeded: window.offset &+ offsetInWindow) }

  /// Where the oldest request begins that hasn't been handed out.
  public var restartPlace: UInt64 { min(maker.openPlace ?? nextPlace, nextPlace) }

  /// Neither the file nor what was made of it is overwritten.
  public var isIntact: Bool { true }

  /// The file, which may be a pipe.
  public var waitDescriptor: Int32? { window.descriptor }

  /// Where reading goes on: what is handed out was made, and has no place in the file.
  public func offset(of address: UnsafeRawPointer) -> Int { window.offset + offsetInWindow }

  /// The next transaction, or the next record by itself.
  ///
  /// - Throws: `LogError.truncated` at a record that isn't all there, `.damaged` at one that can't be, and
  ///   `.readFailed` or `.undecodable` behind the last record that could be read.
  public mutating func next() throws(LogError) -> SourceStep<WideRecords> {
    while true {
      if let run = maker.next() { return .records(run) }
      let at = unsafe window.start + offsetInWindow
      switch unsafe Format.item(at: at, byteCount: window.byteCount - offsetInWindow) {
      case .record(let record, let byteCount):
        let place = nextPlace
        offsetInWindow += byteCount
        if !known.contains(record.tag) { noteUnknownTag(record.tag, at: place) }
        maker.take(record, at: place, to: nextPlace)
        if includesUnattributed { return .records(single.make(of: record, at: place, to: nextPlace)) }
      case .incomplete(let byteCount):
        if window.reachedEnd {
          let left = window.byteCount - offsetInWindow
          if let fault = window.fault { throw fault }
          guard left > 0 else { return .end }
          throw .truncated(
            path: window.path, offset: window.offset + offsetInWindow, isDecoded: isDecoded,
            needed: byteCount,
            left: left)
        }
        // A pipe that has nothing now isn't waited for here: what was made of earlier records can be shipped
        // meanwhile.
        guard window.isReady else { return .idle }
        try window.slide(by: offsetInWindow)
        offsetInWindow = 0
      case .end, .wrap, .damaged: throw damaged()
      }
    }
  }

  private mutating func noteUnknownTag(_ tag: UInt8, at place: UInt64) {
    if unknownTags == nil {
      unknownTags = UnknownTags(count: 1, firstTag: tag, firstOffset: Int(truncatingIfNeeded: place))
    } else {
      unknownTags?.count += 1
    }
  }

  private func damaged() -> LogError {
    .damaged(
      path: window.path, offset: window.offset + offsetInWindow, isDecoded: isDecoded,
      problem: "no record of Varnish \(Format.numbering.releases)")
  }

  /// Moves forward to a stored position, which may be made up, or be of a file that was changed since.
  ///
  /// - Returns: as `FileRecords.resume`.
  /// - Throws: `LogError.readFailed` or `.undecodable` if the file can't be read that far.
  public mutating func resume(at target: LogPosition) throws(LogError) -> LogResumption {
    guard window.isLasting, target.incarnation == incarnation else { return .otherIncarnation }
    while nextPlace < target.place {
      let at = unsafe window.start + offsetInWindow
      switch unsafe Format.item(at: at, byteCount: window.byteCount - offsetInWindow) {
      case .record(let record, let byteCount):
        guard target.place - nextPlace >= UInt64(byteCount) else { return .noSuchPlace }
        // The sides of connections are noted, which later records need.
        maker.passOver(record)
        single.passOver(record)
        offsetInWindow += byteCount
      case .incomplete:
        if window.reachedEnd {
          if let fault = window.fault { throw fault }
          return .noSuchPlace
        }
        try window.slide(by: offsetInWindow)
        offsetInWindow = 0
      case .end, .wrap, .damaged: return .noSuchPlace
      }
    }
    return .held
  }
}

extension TagNumbering {
  /// The releases that have this numbering, as in "3.0".
  public var releases: String {
    switch self {
    case .v20: "2.0"
    case .v21: "2.1"
    case .v30: "3.0"
    case .v40: "4.0"
    case .v41: "4.1 to 7.2"
    case .v73: "7.3 to 8.0"
    case .v90: "9.0"
    }
  }
}

/// A record of 2.0 to 3.0 in the layout of today's: what it was, with the connection's number and side.
struct SingleRecord: ~Copyable {
  private var buffer = RecordBuffer()
  private var sides: ConnectionSides

  init(_ numbering: TagNumbering) { sides = ConnectionSides(numbering) }

  /// Makes a run of one record, which is valid until the next one is made.
  mutating func make(of record: LegacyRecord, at place: UInt64, to endPlace: UInt64) -> RecordRun<WideRecords>
  {
    buffer.removeAll()
    let side = sides.side(ofTag: record.tag, descriptor: record.descriptor)
    buffer.append(tag: record.tag, vxid: UInt64(record.descriptor), side: side, record.payload)
    let run = buffer.run()
    return unsafe RecordRun(
      start: run.start, byteCount: run.byteCount, madeOf: place, to: endPlace, shape: .single)
  }

  /// Notes what a record tells of its connection's side.
  mutating func passOver(_ record: LegacyRecord) {
    _ = sides.side(ofTag: record.tag, descriptor: record.descriptor)
  }
}
