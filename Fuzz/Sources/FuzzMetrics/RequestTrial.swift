import FuzzSupport
import Metrics

/// Sends the input to the metrics server, at once and in pieces.
struct RequestTrial {
  private let request: [UInt8]
  /// The seed of the sizes of the pieces.
  private let cut: UInt8
  /// Whether the request must be answered with metrics.
  private let isSound: Bool

  /// A request of any bytes.
  init(_ request: [UInt8], cut: UInt8) {
    self.request = request
    self.cut = cut
    isSound = false
  }

  /// A request with the bytes as the value of `Accept`, as far as they fit into one line.
  init(accepting text: [UInt8], cut: UInt8) {
    let value = text.filter { $0 != UInt8(ascii: "\r") && $0 != UInt8(ascii: "\n") }
    request = Array("GET /metrics HTTP/1.1\r\nHost: x\r\nAccept: ".utf8) + value + Array("\r\n\r\n".utf8)
    self.cut = cut
    isSound = request.count <= MetricsConversation.requestBytesMax
  }

  func run() {
    let answer = converse([request[...]])
    require(converse(pieces) == answer, "another answer in pieces")
    // This would take too long for a long request.
    if request.count < 300 {
      require(converse(request.indices.map { request[$0...$0] }) == answer, "another answer byte by byte")
    }
    if request.isEmpty {
      require(answer.isEmpty, "an answer to nothing")
    } else {
      let status = AnswerCheck.examine(answer)
      require(!isSound || status == 200, "status \(status) for a sound request")
    }
  }

  /// The request in pieces of one to 512 bytes.
  private var pieces: [ArraySlice<UInt8>] {
    var pieces: [ArraySlice<UInt8>] = []
    var (rest, state) = (request[...], UInt32(cut))
    while !rest.isEmpty {
      state = state &* 1_664_525 &+ 1_013_904_223
      let count = 1 + Int(state >> 16) % (1 << Int(state >> 28 & 7 + 2))
      pieces.append(rest.prefix(count))
      rest = rest.dropFirst(count)
    }
    return pieces
  }

  /// The answer to a request sent in pieces, with nothing after them.
  private func converse(_ pieces: [ArraySlice<UInt8>]) -> [UInt8] {
    var conversation = MetricsConversation()
    var sentCount = 0
    for piece in pieces where !piece.isEmpty {
      require(sentCount < MetricsConversation.requestBytesMax, "more is waited for than a request may have")
      if let answer = conversation.take(piece) { return answer }
      sentCount += piece.count
    }
    guard let answer = conversation.take([]) else { violated("more is waited for behind the end") }
    return answer
  }
}
