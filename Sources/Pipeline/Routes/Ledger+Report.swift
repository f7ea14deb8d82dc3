import Platform

/// The forms in which an account is reported.
extension Ledger {
  /// The accounting line, followed by the counts of the causes that occurred.
  public var report: String {
    figures.reduce(description) { line, figure in figure.1 > 0 ? line + " \(figure.0)=\(figure.1)" : line }
  }

  /// One JSON object on a line.
  ///
  /// - Parameters:
  ///   - output: the output's name.
  ///   - state: what has become of the output, if it isn't one that takes entries.
  public func json(_ output: String, state: String? = nil) -> String {
    let state = state.map { [("state", JSONText.text($0))] } ?? []
    return String(
      decoding: JSONText.object([("output", .text(output))] + state + members).bytes, as: UTF8.self)
  }

  /// All numbers, as members of a JSON object.
  var members: [(String, JSONText)] {
    let sums = [
      ("seen", seen), ("written", written), ("filtered", filtered), ("dropped", dropped), ("lost", lost),
      ("inherited", inherited), ("kept", kept), ("queued", queued), ("unconfirmed", unconfirmed),
      ("repeated", repeated),
    ]
    let causes = Cause.allCases.map { ($0.rawValue, JSONText.whole(self[$0])) }
    return (sums + otherFigures).map { ($0.0, JSONText.whole($0.1)) } + [("causes", .object(causes))]
  }

  /// How many there are of each cause, with their names.
  private var figures: [(String, Int)] { Cause.allCases.map { ($0.rawValue, self[$0]) } + otherFigures }

  private var otherFigures: [(String, Int)] {
    [
      ("lost_bytes", lostBytes), ("incomplete_by_limit", incompleteByLimit),
      ("incomplete_by_timeout", incompleteByTimeout), ("incomplete_by_reload", incompleteByReload),
      ("truncated", truncated), ("gaps_marked", marks),
    ]
  }
}
