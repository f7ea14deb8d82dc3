/// What a load consists of: one request for `/PREFIX/N` for each number N.
public struct LoadPlan: Sendable {
  /// The port on this machine.
  public var port: UInt16
  /// The first part of every path.
  public var prefix: String
  /// How many requests there are, numbered from zero.
  public var count: Int
  /// How many requests are sent per second, over all connections; as many as possible if `nil`.
  public var ratePerSecond: Int?
  /// How many connections are used at a time, each by a thread of its own.
  public var connections = 2
  /// How many requests a connection sends before it waits for their answers.
  public var depth = 32
  /// How long a lost connection may take to be opened again.
  public var patience = Duration.seconds(30)

  /// Plans `count` requests for `/PREFIX/0`, `/PREFIX/1`, ….
  public init(port: UInt16, prefix: String, count: Int, ratePerSecond: Int? = nil) {
    self.port = port
    self.prefix = prefix
    self.count = count
    self.ratePerSecond = ratePerSecond
  }

  /// The path of one request.
  public func path(_ number: Int) -> String { "/\(prefix)/\(number)" }
}

/// The outcome of a load.
public struct LoadReport: Sendable {
  /// The state of one request.
  public enum Fate: UInt8, Sendable {
    /// It was never sent: the log must not have it.
    case unsent
    /// Its answer arrived, and it is proven that it was logged: the log must have it once.
    case answered
    /// It was sent, but the connection was lost around then: the log may have it, once.
    case uncertain
  }

  /// The plan of the load.
  public let plan: LoadPlan
  /// The fate of each number.
  public let fates: [Fate]
  /// The time from the first request to the last answer.
  public let elapsed: Duration
  /// How often a connection was lost.
  public let lostConnections: Int

  /// How many requests were certainly served.
  public var answeredCount: Int { fates.count { $0 == .answered } }
  /// How many requests may have been served.
  public var uncertainCount: Int { fates.count { $0 == .uncertain } }
  /// Served requests a second.
  public var rate: Double { Double(answeredCount) / (elapsed / .seconds(1)) }
}
