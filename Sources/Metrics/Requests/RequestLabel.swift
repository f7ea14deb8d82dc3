public import Shipping

/// Something by which requests are told apart.
public enum RequestLabel: String, Sendable, CaseIterable {
  /// The `Host` of a request, in small letters and without its port.
  case host
  /// Its method.
  case method
  /// Its status, as `2xx`.
  case status
  /// What became of a client's request: `hit`, `miss`, `pass` and so on.
  case handling
  /// The backend that a fetch went to.
  case backend

  /// Reads names.
  public static func list(_ texts: [String]) throws(OptionValueError) -> [RequestLabel] {
    var labels: [RequestLabel] = []
    for text in texts {
      guard let label = RequestLabel(rawValue: text) else {
        let names = allCases.map(\.rawValue).joined(separator: ", ")
        throw OptionValueError(value: text, problem: "is none of \(names)")
      }
      if !labels.contains(label) { labels.append(label) }
    }
    // In an order of their own, independent of the order in the option.
    return allCases.filter { labels.contains($0) }
  }
}

/// Which transactions are meant.
enum RequestSide: Int, Sendable, CaseIterable {
  /// Requests of clients.
  case client
  /// Fetches from backends.
  case backend

  /// What theirs can be told apart by.
  func labels(of wanted: [RequestLabel]) -> [RequestLabel] {
    wanted.filter { self == .client ? $0 != .backend : $0 != .handling }
  }
}
