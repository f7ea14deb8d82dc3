public import VarnishLog

/// A captured log, as it is read from its beginning to its end.
public protocol CapturedSource<Layout>: LogFileSource, ~Copyable {
  /// Whether it begins somewhere among the records of a server, so that pieces of transactions are to be expected.
  var beginsAnywhere: Bool { get }
  /// Whether what is damaged is searched for records.
  var salvages: Bool { get }
  /// What couldn't be read, as far as it was passed.
  var givenUp: GivenUp { get }
  /// What became of all bytes that were passed; nil for a file that is read as it is.
  var account: ImageAccount? { get }

  /// The file, if its parts can be read at the same time.
  var chunks: ChunkedFile<Layout>? { get }
  /// Goes on at a place up to which chunks were read.
  ///
  /// - Parameter unknownTags: those that were found in the last chunk.
  mutating func goOn(at place: UInt64, _ unknownTags: UnknownTags?)
}

extension CapturedSource where Self: ~Copyable {
  /// A file begins with what was recorded first.
  public var beginsAnywhere: Bool { false }
  /// What is damaged ends it.
  public var salvages: Bool { false }
  /// Nothing is passed over.
  public var givenUp: GivenUp { account?.givenUp ?? GivenUp() }
  /// All of it is records.
  public var account: ImageAccount? { nil }
  /// It can't be.
  public var chunks: ChunkedFile<Layout>? { nil }
  /// Nothing was read so.
  public mutating func goOn(at place: UInt64, _ unknownTags: UnknownTags?) {}
}

extension FileRecords: CapturedSource {}
extension LegacyFileRecords: CapturedSource {}

extension ImageRecords: CapturedSource {
  /// A ring has lost what was written first.
  public var beginsAnywhere: Bool { true }
  /// What has no meaning is handed on, or damage.
  public var unknownTags: UnknownTags? { nil }

  /// There is nothing to find out any more.
  public mutating func begin() throws(LogError) {}

  /// Moves forward to a position.
  ///
  /// An image is read in the same order every time, so that the same places come.
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
