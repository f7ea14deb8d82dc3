import Platform
import Shipping
package import Spool

/// Counts the keys in lines of a format of its own, which has the transaction's figures after the key.
package final class LineTopObserver: TopObserver, EntryObserver, @unchecked Sendable {
  package let name = "top"

  /// The format of the lines that the observer counts.
  ///
  /// - Parameter keys: formats of the parts of the key.
  package static func format(_ keys: [[UInt8]]) -> [UInt8] {
    let tab = [UInt8(ascii: "\t")]
    let figures = ["%O", "%D", "%{Varnish:handling}x", "%{VSL:Timestamp:Start[1]}x"].map { Array($0.utf8) }
    return Array((keys + figures).joined(separator: tab))
  }

  /// Makes an observer with a table of a size.
  ///
  /// - Parameter period: the number of seconds over which earlier arrivals fade; nil if they don't.
  package override init(_ options: HeavyHitters.Options = HeavyHitters.Options(), period: Double?) {
    super.init(options, period: period)
  }

  package func observe(_ batch: EntryBatch) {
    let now = SystemClock.steadyNanoseconds
    table.withLock { table in
      table.advance(to: now)
      for index in 0..<batch.count { unsafe Self.count(batch.entry(index), in: &table) }
    }
  }

  private static func count(_ line: UnsafeRawBufferPointer, in table: inout TopTable) {
    var fields = unsafe EntryFields(line)
    var figures = HeavyHitters.Figures()
    if let time = unsafe LoggedNumber.microseconds(fields.takeLast()) { table.note(microseconds: time) }
    figures.isMiss = unsafe fields.takeLast().begins(with: "miss")
    figures.microseconds = unsafe LoggedNumber.whole(fields.takeLast())
    figures.bytes = unsafe LoggedNumber.whole(fields.takeLast()) ?? 0
    unsafe table.sketch.add(fields.key, figures)
  }
}
