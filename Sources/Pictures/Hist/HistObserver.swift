import Platform
import Shipping
package import Spool

/// The measurements of several outputs, which their threads add and other threads read.
package final class HistTables: Sendable {
  /// What is measured.
  package let measures: [Measure]
  private let rings: [Guarded<HistogramRing>]
  /// The latest numbers of each measure; empty unless they are kept.
  private let recent: [Guarded<RecentNumbers>]

  /// Makes empty tables for measures.
  ///
  /// - Parameter keepsLatest: whether the latest numbers are also kept individually.
  package init(_ measures: [Measure], keepsLatest: Bool = false) {
    let now = SystemClock.steadyNanoseconds
    self.measures = measures
    rings = measures.map { _ in Guarded(HistogramRing(at: now)) }
    recent = keepsLatest ? measures.map { _ in Guarded(RecentNumbers()) } : []
  }

  func add(_ number: UInt64, isHit: Bool, to measure: Int) {
    rings[measure].withLock { $0.add(number, isHit: isHit) }
    if !recent.isEmpty { recent[measure].withLock { $0.add(number, isHit: isHit) } }
  }

  func advance(to now: Int64) {
    for ring in rings { ring.withLock { $0.advance(to: now) } }
  }

  /// All numbers of a measure.
  package func total(_ measure: Int) -> HistogramPicture { rings[measure].withLock { $0.makeTotal() } }

  /// The numbers of the last five minutes.
  package func lately(_ measure: Int) -> HistogramPicture {
    rings[measure].withLock { $0.picture(of: 0..<HistogramRing.intervalCount) }
  }

  /// The numbers of each of the last five minutes, the latest first.
  package func minutes(_ measure: Int) -> [HistogramPicture] {
    let length = HistogramRing.intervalsInMinute
    return rings[measure].withLock { ring in
      (0..<5).map { ring.picture(of: $0 * length..<($0 + 1) * length) }
    }
  }

  /// The latest numbers individually; empty unless they are kept.
  func latest(_ measure: Int) -> [RecentNumbers.Number] {
    recent.isEmpty ? [] : recent[measure].withLock { $0.numbers }
  }
}

/// The latest numbers individually, which varnishhist draws.
struct RecentNumbers {
  struct Number {
    let millionths: UInt64
    let isHit: Bool
  }

  /// The number of numbers that varnishhist keeps.
  private static let countMax = 2000
  private(set) var numbers: [Number] = []
  private var next = 0

  init() { numbers.reserveCapacity(Self.countMax) }

  mutating func add(_ number: UInt64, isHit: Bool) {
    let number = Number(millionths: number, isHit: isHit)
    if numbers.count < Self.countMax {
      numbers.append(number)
    } else {
      numbers[next] = number
      next = (next + 1) % Self.countMax
    }
  }
}

/// Measures the lines of one output: the measured fields, then how the request was handled and when it began,
/// with tabs between them.
package final class HistObserver: EntryObserver {
  package let name: String
  private let tables: HistTables
  /// The measures of the fields, in the fields' order.
  private let measures: Range<Int>
  private let bend: TimeBend?

  /// Makes an observer that adds to the tables of some measures.
  ///
  /// - Parameter bend: sets the pace at which transactions are measured; nil measures them at once.
  package init(_ name: String, _ tables: HistTables, _ measures: Range<Int>, _ bend: TimeBend? = nil) {
    precondition(measures.upperBound <= tables.measures.count, "tables for the measures")
    (self.name, self.tables, self.measures, self.bend) = (name, tables, measures, bend)
  }

  /// The format of the lines that the observer measures.
  ///
  /// - Parameter fields: the formats of the measured fields.
  package static func format(_ fields: [String]) -> [UInt8] {
    Array((fields + ["%{Varnish:handling}x", "%{VSL:Timestamp:Start[1]}x"]).joined(separator: "\t").utf8)
  }

  package func observe(_ batch: EntryBatch) {
    tables.advance(to: SystemClock.steadyNanoseconds)
    for index in 0..<batch.count {
      var fields = unsafe EntryFields(batch.entry(index))
      let begin = unsafe LoggedNumber.microseconds(fields.takeLast())
      if let bend, let begin {
        bend.wait(for: begin)
        tables.advance(to: SystemClock.steadyNanoseconds)
      }
      let isHit = unsafe fields.takeLast().equals("hit")
      for measure in measures.reversed() {
        if let number = unsafe LoggedNumber.microseconds(fields.takeLast()) {
          tables.add(number, isHit: isHit, to: measure)
        }
      }
    }
  }

  package func hurry() { bend?.finish() }
}
