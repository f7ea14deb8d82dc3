import VarnishLog

/// Gives transactions whose numbers are too large for a log others, the same wherever they are named.
struct NumberNarrowing {
  private let largest: UInt64
  private var known: [UInt64: UInt64] = [:]
  private var former: [UInt64: UInt64] = [:]
  private var next: UInt64

  /// So many are known at once; relatives are never as far from each other.
  private static let knownCountMax = 1 << 18

  init(largest: UInt64) {
    self.largest = largest
    next = largest
  }

  /// Whether there may be numbers that are too large.
  var narrows: Bool { largest < 1 << 51 - 1 }

  /// A number that the log has room for; it begins at the top, where the log's own seldom come.
  mutating func narrowed(_ number: UInt64) -> UInt64 {
    guard number > largest else { return number }
    if let known = known[number] { return known }
    let new: UInt64
    if let old = former[number] {
      new = old
    } else {
      new = next
      next = next > largest / 2 ? next - 1 : largest
    }
    if known.count >= Self.knownCountMax {
      former = known
      known = [:]
    }
    known[number] = new
    return new
  }

  /// What `Begin` or `Link` says, with such a number.
  mutating func bracket(_ text: String, addsLevel: Bool) -> String {
    var fields = text.split(separator: " ", omittingEmptySubsequences: true).map(String.init)
    guard fields.count >= 3, let number = UInt64(fields[1]) else { return text }
    fields[1] = String(narrowed(number))
    if addsLevel { fields.append("1") }
    return fields.joined(separator: " ")
  }
}
