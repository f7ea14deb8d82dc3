import Platform
import Spool

/// What is told of requests, and how much of it.
public struct RequestSettings: Sendable, Hashable {
  /// What they are told apart by.
  public var labels = RequestLabel.allCases
  /// The buckets of all histograms.
  public var buckets = BucketBounds.usual
  /// How many values each label may have; half of them are for those that come often.
  public var valuesMax = 100
  /// How many sets of values there may be, on both sides together.
  public var setsMax = 500

  /// The limit of sets that can be asked for.
  public static let setsMaxMax = 100_000

  /// The limit of values that can be asked for.
  public static var valuesMaxMax: Int { LabelValues.limitMax }

  /// The usual ones.
  public init() {}
}

/// The numbers of all transactions.
struct RequestBook: Sendable {
  private(set) var tables: [RequestTable]
  let settings: RequestSettings

  init(_ settings: RequestSettings) {
    self.settings = settings
    tables = RequestSide.allCases.map { RequestTable($0, settings) }
  }

  /// How many sets of labels there are.
  var setCount: Int { tables.reduce(0) { $0 + $1.keys.count } }

  /// Counts the transaction that a line is about.
  mutating func count(_ line: UnsafeRawBufferPointer) {
    guard let line = unsafe RequestLine(line) else { return }
    let hasRoom = setCount < settings.setsMax
    tables[line.side.rawValue].count(line, hasRoom: hasRoom)
  }

  /// How many lines are counted at once before others may look.
  private static let linesAtOnce = 64

  /// Counts the lines of a batch, a few at a time.
  static func count(_ batch: EntryBatch, in book: Guarded<RequestBook>) {
    var index = 0
    while index < batch.count {
      let end = min(batch.count, index + linesAtOnce)
      book.withLock { book in
        while index < end {
          unsafe book.count(batch.entry(index))
          index += 1
        }
      }
    }
  }
}
