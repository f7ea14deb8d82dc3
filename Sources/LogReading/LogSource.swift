public import VarnishLog

/// Where records come from: a file, or the ring of a live log.
///
/// A source hands out records where they lie. A file's stay as they are until the next call; a ring's may
/// be overwritten at any moment, so the caller uses them, asks `isIntact` *afterwards* and throws away what it
/// made of them if they weren't intact.
public protocol LogSource<Layout>: ~Copyable {
  /// How its records lie in memory.
  associatedtype Layout: RecordLayout

  /// Whether every record counts as written by itself, as in a file, or a run as written in one piece.
  static var recordsStandAlone: Bool { get }

  /// Whether records of no transaction are handed out too; usually they aren't needed.
  var includesUnattributed: Bool { get set }

  /// The next records, or why there are none.
  mutating func next() throws(LogError) -> SourceStep<Layout>

  /// Sets which records are picked out of runs while the source looks for their ends; all that have a meaning
  /// for grouping are picked with them.
  ///
  /// Sources may pick nothing.
  ///
  /// - Parameter tags: the numbering of the log's tags.
  mutating func pick(_ wish: PickWish, _ tags: TagTable)

  /// What was picked out of the run that was handed out last; nil for another run, or if nothing was picked.
  func picked(of run: RecordRun<Layout>) -> PickedRecords<Layout>?

  /// A hint at the number of the transaction whose records come next; 0 if it isn't known.
  var upcomingVXID: UInt64 { get }

  /// Whether what the last call handed out is still what the server wrote.
  var isIntact: Bool { get }

  /// The file descriptor that becomes readable when there is more after `idle`; nil if only looking again
  /// tells.
  var waitDescriptor: Int32? { get }

  /// Which log it is.
  var incarnation: LogIncarnation { get }

  /// The place behind what was handed out last, where reading goes on; it only grows.
  var nextPlace: UInt64 { get }

  /// The place at which reading must begin anew to be handed all that wasn't handed out yet; most sources hand out
  /// everything in front of `nextPlace`.
  var restartPlace: UInt64 { get }

  /// Whether the log has no transactions: they are made of its records, which are handed out by themselves as well if
  /// `includesUnattributed` is set, as runs of one record whose shape is `single`.
  static var makesTransactions: Bool { get }

  /// How many of the transactions that are made of its records were left out, as the log lacks a part of them
  /// or they are too large.
  var incompleteCount: Int { get }

  /// The tag numbering of records that are handed out by themselves; nil if it is the same as that of
  /// transactions.
  var singleNumbering: TagNumbering? { get }

  /// Where in the log a record of the last call lies, in bytes from the beginning of the file or ring.
  func offset(of address: UnsafeRawPointer) -> Int
}

extension LogSource where Self: ~Copyable {
  /// The position behind what was handed out last: a source that is opened there goes on with what comes next.
  public var nextPosition: LogPosition { LogPosition(incarnation, place: nextPlace) }

  /// Where reading goes on.
  public var restartPlace: UInt64 { nextPlace }

  /// Not known.
  @inlinable public var upcomingVXID: UInt64 { 0 }

  /// Nothing is picked.
  public mutating func pick(_ wish: PickWish, _ tags: TagTable) {}

  /// Nothing is picked.
  public func picked(of run: RecordRun<Layout>) -> PickedRecords<Layout>? { nil }

  /// Transactions are in the log.
  public static var makesTransactions: Bool { false }

  /// None are made.
  public var incompleteCount: Int { 0 }

  /// Everything has one numbering.
  public var singleNumbering: TagNumbering? { nil }
}

/// A log that a server writes while it is read.
public protocol LiveSource<Layout>: LogSource, ~Copyable {
  /// What became of the position at which reading was to go on; nil if it didn't begin at a position.
  var resumption: LogResumption? { get }

  /// How many bytes had been written, at least, in front of the first record that could be read at the beginning.
  var overwrittenBytes: UInt64 { get }

  /// How much there is room for before the server overwrites the oldest, in bytes.
  var byteCount: Int { get }

  /// Where the reader is, in bytes, on a scale that goes on when the server begins anew; only differences count.
  var readOffset: Int { get }

  /// How many bytes have been written behind what was read last, as far as that can be told quickly.
  var lagBytes: Int { get }

  /// Notes that another process writes the log from now on, in the same place.
  mutating func noteTakeover()
}

extension LiveSource where Self: ~Copyable {
  /// Nothing to do: in directories, or from 4.0 on, the log of another process is another log.
  public mutating func noteTakeover() {}
}

/// What a source has at the moment.
public enum SourceStep<Layout: RecordLayout> {
  /// Records of one transaction, and their place in the log.
  case records(RecordRun<Layout>)
  /// Nothing new; ask again later.
  case idle
  /// The end of the input; there will never be more.
  case end
  /// The server overtook the reader and this much was overwritten before it was read; reading goes on
  /// behind the gap.
  case overrun(lostBytes: Int)
  /// These bytes of a captured log hold no records that can be believed; reading goes on behind them.
  case gap(Range<Int>)
  /// The ring holds something no server writes; reading goes on at the next place known to be good.
  ///
  /// Indirect, so that a step is as small as a run.
  indirect case damaged(LogError)
}
