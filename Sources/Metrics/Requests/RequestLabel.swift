public import Shipping

/// A label by which requests are counted.
public enum RequestLabel: String, Sendable, CaseIterable {
  /// The `Host` of a request, in lower case and without its port.
  case host
  /// The request's method.
  case method
  /// The class of the status, as `2xx`.
  case status
  /// How a client's request was handled: `hit`, `miss`, `pass` and so on.
  case handling
  /// The backend that a fetch went to.
  case backend

  /// Reads the names of labels.
  public static func list(_ texts: [String]) throws(OptionValueError) -> [RequestLabel] {
    var labels: [RequestLabel] = []
    for text in texts {
      guard let label = RequestLabel(rawValue: text) else {
        let names = allCases.map(\.rawValue).joined(separator: ", ")
        throw OptionValueError(value: text, problem: "is none of \(names)")
      }
      if !labels.contains(label) { labels.append(label) }
    }
    // In a fixed order, independent of the order in the option.
    return allCases.filter { labels.contains($0) }
  }
}

/// The side of a transaction.
enum RequestSide: Int, Sendable, CaseIterable {
  /// Requests of clients.
  case client
  /// Fetches from backends.
  case backend

  /// Those of the wanted labels that transactions of this side have.
  func labels(of wanted: [RequestLabel]) -> [RequestLabel] {
    wanted.filter { self == .client ? $0 != .backend : $0 != .handling }
  }
}
