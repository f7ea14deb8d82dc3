import Platform

/// What `--report` says of an account.
extension Ledger {
  /// The accounting line, with what was lost or left out by its cause.
  public var report: String {
    causes.reduce(description) { line, figure in figure.1 > 0 ? line + " \(figure.0)=\(figure.1)" : line }
  }

  /// One JSON object on a line.
  ///
  /// - Parameter output: the output's name.
  public func json(_ output: String) -> String {
    let sums = [
      ("seen", seen), ("written", written), ("filtered", filtered), ("dropped", dropped), ("lost", lost),
      ("inherited", inherited), ("kept", kept), ("queued", queued), ("unconfirmed", unconfirmed),
    ]
    let members = (sums + causes).map { ",\"\($0.0)\":\($0.1)" }.joined()
    return "{\"output\":\(JSONText.quoted(output))\(members),\"lost_is_estimate\":\(lostBytes > 0)}"
  }

  /// How many there are of each cause, with their names.
  private var causes: [(String, Int)] {
    Cause.allCases.map { ($0.rawValue, self[$0]) } + [
      ("overrun_bytes", lostBytes), ("incomplete_by_limit", incompleteByLimit),
      ("incomplete_by_timeout", incompleteByTimeout), ("gaps_marked", marks),
    ]
  }
}
