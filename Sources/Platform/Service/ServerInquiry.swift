/// What one client has sent so far, until there is an answer.
package struct ServerInquiry: Sendable {
  /// What comes of a piece of it.
  package enum Outcome: Sendable {
    /// More must come.
    case incomplete
    /// The client is to be sent this.
    case answer([UInt8])
    /// It isn't served.
    case refused(ServerRefusal)
    /// Nothing more comes, and there is no answer to what has.
    case abandoned
  }

  private var received: [UInt8] = []

  /// One that hasn't sent anything.
  package init() {}

  /// Takes the next piece; an empty one is the end.
  package mutating func take<Dialog: ServerDialog & ~Copyable>(
    _ piece: ArraySlice<UInt8>, _ limits: ServerLimits, _ dialog: inout Dialog
  ) -> Outcome {
    received += piece
    if let answer = dialog.answer(received, hasEnded: piece.isEmpty) { return .answer(answer) }
    if piece.isEmpty { return .abandoned }
    return received.count < limits.requestBytesMax ? .incomplete : .refused(.tooLong)
  }
}
