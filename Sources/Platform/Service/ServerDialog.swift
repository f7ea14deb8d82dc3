/// What a server of this process answers its clients.
package protocol ServerDialog: ~Copyable {
  /// The answer to all that a client has sent so far; nil as long as more must come.
  ///
  /// - Parameter hasEnded: whether the client has said that nothing more comes.
  mutating func answer(_ received: [UInt8], hasEnded: Bool) -> [UInt8]?

  /// What a client is told that isn't served; one that is told nothing is dropped.
  mutating func answer(_ refusal: ServerRefusal) -> [UInt8]
}

/// Why a client isn't served.
package enum ServerRefusal: Sendable {
  /// There are as many clients as are served at once.
  case tooMany
  /// Its request didn't come in time.
  case tooLate
  /// Its request is longer than any may be.
  case tooLong
}

/// How clients are treated.
package struct ServerLimits: Sendable {
  /// How many are served at once.
  ///
  /// When one more comes, the one that has been silent for longest is turned away.
  package var clientsMax = 16
  /// How many bytes a request may have.
  package var requestBytesMax = 16 << 10
  /// How long a client may take to ask.
  package var requestNanoseconds: Int64 = 5_000_000_000
  /// How long it may take to read its answer from then on; nil if both together have the time to ask.
  package var answerNanoseconds: Int64?
  /// Whether a client that has its answer is listened to until it hangs up: what it still sends would otherwise have its
  /// system throw the answer away.
  package var lingers = false

  /// What suits a run.
  package init() {}
}
