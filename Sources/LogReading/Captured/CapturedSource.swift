public import VarnishLog

/// A captured log, as it is read from its beginning to its end.
public protocol CapturedSource<Layout>: LogFileSource, ~Copyable {
  /// Whether the log begins in the middle of what its server recorded, so that pieces of transactions are to
  /// be expected.
  var beginsAnywhere: Bool { get }
  /// Whether damaged parts are searched for records.
  var salvages: Bool { get }
  /// The bytes passed so far that couldn't be read.
  var givenUp: GivenUp { get }
  /// What became of the bytes passed so far; nil for a file that is read as it is.
  var account: ImageAccount? { get }

  /// The file in chunks, if they can be read at the same time; nil if they can't.
  var chunks: ChunkedFile<Layout>? { get }
  /// Goes on at a place up to which chunks were read.
  ///
  /// - Parameter unknownTags: those that were found in the last chunk.
  mutating func goOn(at place: UInt64, _ unknownTags: UnknownTags?)
}

extension CapturedSource where Self: ~Copyable {
  /// A file begins with what was recorded first.
  public var beginsAnywhere: Bool { false }
  /// Damage ends the log.
  public var salvages: Bool { false }
  /// What the account says; nothing if there is no account.
  public var givenUp: GivenUp { account?.givenUp ?? GivenUp() }
  /// None: every byte belongs to a record.
  public var account: ImageAccount? { nil }
  /// None: the log is read in its order.
  public var chunks: ChunkedFile<Layout>? { nil }
  /// Nothing to do: there are no chunks.
  public mutating func goOn(at place: UInt64, _ unknownTags: UnknownTags?) {}
}

extension FileRecords: CapturedSource {}
extension LegacyFileRecords: CapturedSource {}

extension ImageRecords: CapturedSource {
  /// A ring has lost what was written first.
  public var beginsAnywhere: Bool { true }
  /// None are counted: a record of an unknown tag is handed out like any other or, in salvage, counts as
  /// damage.
  public var unknownTags: UnknownTags? { nil }

  /// Nothing to do: the numbering was found out when the source was made.
  public mutating func begin() throws(LogError) {}

  /// Moves forward to a position.
  ///
  /// An image is read in the same order every time, so its records have the same places as before.
  public mutating func resume(at target: LogPosition) throws(LogError) -> LogResumption {
    guard target.incarnation == incarnation else { return .otherIncarnation }
    let wanted = includesUnattributed
    includesUnattributed = true
    defer { includesUnattributed = wanted }
    while nextPlace < target.place {
      if case .end = try next() { return .noSuchPlace }
    }
    return nextPlace == target.place ? .held : .noSuchPlace
  }
}
