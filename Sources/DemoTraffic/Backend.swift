/// A server behind the cache.
struct Backend {
  let name: String
  let address: String
  let server: String
  /// The usual time until its response, in microseconds.
  let thinking: Int

  static let web1 = Backend(name: "web1", address: "192.0.2.21", server: "nginx/1.26.3", thinking: 42_000)
  static let web2 = Backend(name: "web2", address: "192.0.2.22", server: "nginx/1.26.3", thinking: 47_000)
  static let assets = Backend(
    name: "assets", address: "192.0.2.31", server: "lighttpd/1.4.79", thinking: 3_000)
  static let api = Backend(name: "api", address: "192.0.2.41", server: "gunicorn", thinking: 85_000)
  static let media = Backend(name: "media", address: "192.0.2.51", server: "nginx/1.26.3", thinking: 9_000)
  static let tips = Backend(name: "tips", address: "192.0.2.61", server: "Jetty(12.0.16)", thinking: 160_000)

  /// Whether its probes fail after this many requests; one of the servers is sick from time to time.
  func isSick(after requests: Int) -> Bool { name == "tips" && (60..<95).contains(requests % 180) }
}

/// The reason why a fetch failed.
enum FetchFault {
  case sick, refused, firstByteTimeout, closed

  /// The log's text for the fault.
  func text(_ backend: Backend) -> String {
    switch self {
    case .sick: "backend \(backend.name): unhealthy"
    case .refused: "backend \(backend.name): fail errno 111 (Connection refused)"
    case .firstByteTimeout: "first byte timeout"
    case .closed: "http first read error: EOF"
    }
  }

  /// Whether there was a connection to the backend.
  var hasConnection: Bool { self == .firstByteTimeout || self == .closed }

  /// The reason why that connection was closed.
  var closing: String { self == .firstByteTimeout ? "Receive timeout" : "Receive error" }

  /// The time until the fetch failed, in microseconds.
  func duration(_ random: inout SeededRandom) -> Int {
    switch self {
    case .sick: random.number(in: 3..<12)
    case .refused: random.number(in: 200..<900)
    case .firstByteTimeout: 1_500_000 + random.number(in: 20..<2_000)
    case .closed: random.latency(30_000)
    }
  }
}
