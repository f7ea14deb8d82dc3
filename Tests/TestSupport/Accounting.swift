/// The accounting line that a run prints for its transactions, for example `seen=10 written=7 filtered=2
/// dropped=1 lost=0`.
public struct Accounting: Equatable, Sendable {
  /// The figures that every such line has.
  public var seen, written, filtered, dropped, lost: Int

  /// Finds the five figures in a line that may have other words, too; `nil` if one is missing.
  public init?(_ line: some StringProtocol) {
    var figures: [Substring: Int] = [:]
    for word in line.split(whereSeparator: { $0 == " " || $0 == "," }) {
      let parts = word.split(separator: "=")
      if parts.count == 2, let value = Int(parts[1]) { figures[Substring(parts[0])] = value }
    }
    guard let seen = figures["seen"], let written = figures["written"],
      let filtered = figures["filtered"], let dropped = figures["dropped"],
      let lost = figures["lost"]
    else { return nil }
    self.seen = seen
    self.written = written
    self.filtered = filtered
    self.dropped = dropped
    self.lost = lost
    inherited = figures["inherited"] ?? 0
    kept = figures["kept"] ?? 0
    queued = figures["queued"] ?? 0
    unconfirmed = figures["unconfirmed"] ?? 0
  }

  /// Transactions that an earlier run had left in the spool, and those that this run leaves to a later one.
  public var inherited = 0, kept = 0
  /// Transactions that are still on their way, and those that a connection may have lost.
  public var queued = 0, unconfirmed = 0

  /// Whether every transaction that was seen or inherited is in exactly one of the other counters.
  public var addsUp: Bool { seen + inherited == written + filtered + dropped + kept + queued + unconfirmed }
}
