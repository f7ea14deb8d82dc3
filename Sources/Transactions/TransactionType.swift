import VarnishLog

/// What a transaction is about.
public enum TransactionType: UInt8, Sendable {
  case unknown
  case session
  case request
  case backendRequest

  /// The word that `Begin` and `Link` use.
  public var word: StaticString {
    switch self {
    case .unknown: "unknown"
    case .session: "sess"
    case .request: "req"
    case .backendRequest: "bereq"
    }
  }

  init(_ word: LogBytes) {
    if word.equals("req") {
      self = .request
    } else if word.equals("bereq") {
      self = .backendRequest
    } else if word.equals("sess") {
      self = .session
    } else {
      self = .unknown
    }
  }
}

/// Why a transaction was begun, as far as anything depends on it.
public enum TransactionReason: UInt8, Sendable {
  /// Anything without consequences for grouping: `fetch`, `pass`, `retry`, `HTTP/2` …
  case other
  /// A request as it came from the client.
  case received
  /// A fragment that another request includes.
  case esi
  /// A further attempt at the same request.
  case restart

  init(_ word: LogBytes) {
    if word.equals("rxreq") {
      self = .received
    } else if word.equals("esi") {
      self = .esi
    } else if word.equals("restart") {
      self = .restart
    } else {
      self = .other
    }
  }
}
