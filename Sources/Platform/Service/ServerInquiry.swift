/// The request that one client has sent so far, until there is an answer.
package struct ServerInquiry: Sendable {
  /// The result of receiving a piece of the request.
  package enum Outcome: Sendable {
    /// The request isn't complete.
    case incomplete
    /// The client is to be sent this answer.
    case answer([UInt8])
    /// The client isn't served.
    case refused(ServerRefusal)
    /// The client has ended its sending side, and there is no answer to what it has sent.
    case abandoned
  }

  private var received: [UInt8] = []

  /// A request of which nothing has been received.
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
