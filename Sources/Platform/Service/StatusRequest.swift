/// The requests of clients of the status socket.
package enum StatusRequest: Equatable, Sendable {
  /// One JSON document.
  case json
  /// A table for people.
  case table

  /// The line that a client sends for the request.
  package var line: String {
    switch self {
    case .json: "json\n"
    case .table: "table\n"
    }
  }
}

/// What the server has understood of the bytes that a client has sent so far.
enum StatusDialog: Equatable {
  /// The request isn't complete.
  case incomplete
  /// A request, and whether it was made by HTTP.
  case request(StatusRequest, isHTTP: Bool)
  /// A mistake, with the text that the client is sent.
  case mistake(String)

  /// How long a request may be: HTTP requests have further lines, which are ignored.
  static let bytesMax = 16 << 10

  /// Interprets the bytes received so far.
  /// - Parameter hasEnded: whether the client has ended its sending side; then an empty request is one for
  ///   JSON.
  init(_ bytes: [UInt8], hasEnded: Bool) {
    guard let end = bytes.firstIndex(of: UInt8(ascii: "\n")) ?? (hasEnded ? bytes.endIndex : nil) else {
      self = .incomplete
      return
    }
    var line = bytes[..<end]
    if line.last == UInt8(ascii: "\r") { line.removeLast() }
    switch String(decoding: line, as: UTF8.self) {
    case "json": self = .request(.json, isHTTP: false)
    case "": self = hasEnded ? .request(.json, isHTTP: false) : .mistake(Self.expectation)
    case "table": self = .request(.table, isHTTP: false)
    case let text where text.hasPrefix("GET /") && text.contains(" HTTP/1."):
      // A client that is answered before it has sent everything may find its connection reset.
      self = hasEnded || Self.hasBlankLine(bytes) ? .request(.json, isHTTP: true) : .incomplete
    case let text where text.contains(" HTTP/1."):
      self = hasEnded || Self.hasBlankLine(bytes) ? .mistake(Self.refusal) : .incomplete
    default: self = .mistake(Self.expectation)
    }
  }

  private static let expectation = "error: expected a line, json or table\n"
  private static let refusal =
    "HTTP/1.0 405 Method Not Allowed\r\nAllow: GET\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"

  private static func hasBlankLine(_ bytes: [UInt8]) -> Bool {
    var previous: UInt8 = 0
    for byte in bytes where byte != UInt8(ascii: "\r") {
      if byte == UInt8(ascii: "\n"), previous == byte { return true }
      previous = byte
    }
    return false
  }

  /// The HTTP header in front of a document.
  static func header(for document: [UInt8]) -> [UInt8] {
    Array(
      ("HTTP/1.0 200 OK\r\nContent-Type: application/json\r\nContent-Length: \(document.count)\r\n"
        + "Cache-Control: no-store\r\nConnection: close\r\n\r\n").utf8)
  }
}

/// Answers the clients of the status socket.
struct StatusAnswers: ServerDialog {
  let document: @Sendable (StatusRequest) -> [UInt8]

  func answer(_ received: [UInt8], hasEnded: Bool) -> [UInt8]? {
    switch StatusDialog(received, hasEnded: hasEnded) {
    case .incomplete: return nil
    case .mistake(let text): return Array(text.utf8)
    case .request(let request, let isHTTP):
      let document = document(request)
      return (isHTTP ? StatusDialog.header(for: document) : []) + document
    }
  }

  func answer(_ refusal: ServerRefusal) -> [UInt8] { [] }
}
