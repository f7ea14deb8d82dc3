import Platform

/// What a conversion leaves out for want of a counterpart.
struct Omissions {
  /// How many records, by the number that their tag has among those that are read.
  private(set) var records = [Int](repeating: 0, count: 256)
  /// ESI fragments: before 4.0 they are part of the request that they are included in.
  var fragments = 0
  /// Clients' connections, for which 2.0 to 3.0 log other things.
  var sessions = 0
  /// Transactions that are neither requests nor fetches.
  var others = 0

  mutating func note(_ tag: UInt8) { records[Int(tag)] += 1 }

  /// The messages about transactions that logs of some releases don't have.
  func said(of releases: String) -> [String] {
    var lines: [String] = []
    if fragments > 0 {
      lines.append("\(counted(fragments, "fragment")) left out: logs of \(releases) have none (ESI)")
    }
    if sessions > 0 {
      lines.append(
        "\(counted(sessions, "session")) left out: each request has one of its own in the log of \(releases)")
    }
    if others > 0 {
      lines.append("\(counted(others, "transaction")) left out: neither a request nor a fetch")
    }
    return lines
  }
}
