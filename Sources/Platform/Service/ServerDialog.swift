/// Answers the clients of a server in this process.
package protocol ServerDialog: ~Copyable {
  /// The answer to all that a client has sent so far; nil as long as the request is incomplete.
  ///
  /// - Parameter hasEnded: whether the client has ended its sending side.
  mutating func answer(_ received: [UInt8], hasEnded: Bool) -> [UInt8]?

  /// The answer to a client that isn't served; with an empty answer it is dropped.
  mutating func answer(_ refusal: ServerRefusal) -> [UInt8]
}

/// Why a client isn't served.
package enum ServerRefusal: Sendable {
  /// As many clients are connected as are served at once.
  case tooMany
  /// The client's request didn't come in time.
  case tooLate
  /// The client's request is longer than the limit.
  case tooLong
}

/// The limits for clients.
package struct ServerLimits: Sendable {
  /// How many clients are served at once.
  ///
  /// When one more connects, the client that has been silent for longest is turned away.
  package var clientsMax = 16
  /// How many bytes a request may have.
  package var requestBytesMax = 16 << 10
  /// How long a client may take to send its request.
  package var requestNanoseconds: Int64 = 5_000_000_000
  /// How long the client may take to read its answer from then on; nil if request and answer share one limit.
  package var answerNanoseconds: Int64?
  /// Whether the server reads from a client that has its answer until it closes the connection: data that it
  /// still sends would otherwise make its system discard the answer.
  package var lingers = false

  /// The defaults.
  package init() {}
}
