import VarnishLog

/// Gives other numbers to transactions whose numbers are too large for a log, the same wherever they are
/// named.
struct NumberNarrowing {
  private let largest: UInt64
  private var known: [UInt64: UInt64] = [:]
  private var former: [UInt64: UInt64] = [:]
  private var next: UInt64
  /// How many transactions were given another number.
  private(set) var count = 0

  /// How many new numbers are remembered at once; relatives are never as far from each other.
  private static let knownCountMax = 1 << 18

  init(largest: UInt64) {
    self.largest = largest
    next = largest
  }

  /// Whether there may be numbers that are too large.
  var narrows: Bool { largest < 1 << 51 - 1 }

  /// A number that the log has room for; new ones begin at the top, where the log's own numbers seldom are.
  mutating func narrowed(_ number: UInt64) -> UInt64 {
    guard number > largest else { return number }
    if let known = known[number] { return known }
    let new: UInt64
    if let old = former[number] {
      new = old
    } else {
      new = next
      count += 1
      next = next > largest / 2 ? next - 1 : largest
    }
    if known.count >= Self.knownCountMax {
      former = known
      known = [:]
    }
    known[number] = new
    return new
  }

  /// The payload of a `Begin` or `Link`, with a number that the log has room for.
  mutating func bracket(_ text: String, addsLevel: Bool) -> String {
    var fields = text.split(separator: " ", omittingEmptySubsequences: true).map(String.init)
    guard fields.count >= 3, let number = UInt64(fields[1]) else { return text }
    fields[1] = String(narrowed(number))
    if addsLevel { fields.append("1") }
    return fields.joined(separator: " ")
  }
}
