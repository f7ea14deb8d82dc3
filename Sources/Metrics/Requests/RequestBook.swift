import Platform
import Spool

/// The labels and the limits of metrics of requests.
public struct RequestSettings: Sendable, Hashable {
  /// The labels by which requests are counted.
  public var labels = RequestLabel.allCases
  /// The buckets of all histograms.
  public var buckets = BucketBounds.usual
  /// How many values each label may have; half of them are for frequent values.
  public var valuesMax = 100
  /// How many sets of label values there may be, on both sides together.
  public var setsMax = 500

  /// The largest `setsMax` that can be set.
  public static let setsMaxMax = 100_000

  /// The largest `valuesMax` that can be set.
  public static var valuesMaxMax: Int { LabelValues.limitMax }

  /// The default settings.
  public init() {}
}

/// The counts of all transactions.
struct RequestBook: Sendable {
  private(set) var tables: [RequestTable]
  let settings: RequestSettings

  init(_ settings: RequestSettings) {
    self.settings = settings
    tables = RequestSide.allCases.map { RequestTable($0, settings) }
  }

  /// How many sets of labels there are.
  var setCount: Int { tables.reduce(0) { $0 + $1.keys.count } }

  /// Counts the transaction in a line.
  mutating func count(_ line: UnsafeRawBufferPointer) {
    guard let line = unsafe RequestLine(line) else { return }
    let hasRoom = setCount < settings.setsMax
    tables[line.side.rawValue].count(line, hasRoom: hasRoom)
  }

  /// How many lines are counted before the lock is released for other threads.
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
