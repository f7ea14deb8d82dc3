public import VarnishLog

/// A source that is read from its beginning to its end.
public protocol CapturedSource<Layout>: LogSource, ~Copyable {
  /// What its tags are numbered by.
  var numbering: TagNumbering { get }
  /// Whether it was decoded from a compressed file, so that offsets are none in the file.
  var isDecoded: Bool { get }
  /// Whether it begins somewhere among the records of a server, so that pieces of transactions are to be expected.
  var beginsAnywhere: Bool { get }
  /// Whether what is damaged is searched for records.
  var salvages: Bool { get }
  /// The records of tags that the numbering gives no meaning; nil if there were none.
  var unknownTags: UnknownTags? { get }
  /// What couldn't be read, as far as it was passed.
  var givenUp: GivenUp { get }

  /// Moves forward to a position where reading had stopped before.
  ///
  /// - Returns: `held` if reading goes on there; else it goes on anywhere.
  /// - Throws: `LogError` if it can't be read that far.
  mutating func resume(at target: LogPosition) throws(LogError) -> LogResumption
}

extension FileRecords: CapturedSource {
  /// A file begins with what was recorded first.
  public var beginsAnywhere: Bool { false }
  /// What is damaged ends it.
  public var salvages: Bool { false }
  /// Nothing is passed over.
  public var givenUp: GivenUp { GivenUp() }
}

extension ImageRecords: CapturedSource {
  /// A ring has lost what was written first.
  public var beginsAnywhere: Bool { true }
  /// What has no meaning is handed on, or damage.
  public var unknownTags: UnknownTags? { nil }

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
