/// The head of an HTTP request, as far as it matters here.
enum HTTPRequest: Equatable {
  /// The head isn't complete yet.
  case incomplete
  /// The request isn't served; the status says why.
  case refused(HTTPStatus)
  /// The request asks for a document.
  case document(path: String, accept: String, isHead: Bool)

  /// The largest number of bytes in a head.
  static let byteCountMax = 8 << 10

  /// Reads the bytes that were received so far.
  ///
  /// - Parameter hasEnded: whether the client sends no more.
  init(_ bytes: [UInt8], hasEnded: Bool) {
    // Bytes beyond the limit are ignored, so that the result doesn't depend on how the bytes arrive in pieces.
    var rest = bytes.prefix(Self.byteCountMax)
    // Some clients send an empty line in front.
    rest = rest.drop { $0 == UInt8(ascii: "\r") || $0 == UInt8(ascii: "\n") }
    guard let line = Self.takeLine(from: &rest) else {
      self = Self.unfinished(bytes, hasEnded)
      return
    }
    // An invalid request line is refused at once, without waiting for the rest.
    guard let (method, target) = Self.parts(of: Self.text(line)) else {
      self = .refused(.badRequest)
      return
    }
    var fields: [ArraySlice<UInt8>] = []
    while true {
      guard let field = Self.takeLine(from: &rest) else {
        self = Self.unfinished(bytes, hasEnded)
        return
      }
      if field.isEmpty { break }
      fields.append(field)
    }
    var accept: [String] = []
    for field in fields {
      let line = Self.text(field)
      guard let colon = line.firstIndex(of: ":"), colon > line.startIndex,
        line[..<colon].allSatisfy(Self.isOfToken)
      else {
        self = .refused(.badRequest)
        return
      }
      if line[..<colon].lowercased() == "accept" { accept.append(String(line[line.index(after: colon)...])) }
    }
    guard method == "GET" || method == "HEAD" else {
      self = .refused(.methodNotAllowed)
      return
    }
    self = .document(
      path: Self.path(of: target), accept: accept.joined(separator: ","), isHead: method == "HEAD")
  }

  /// The next line without its end; nil if the end hasn't been received.
  private static func takeLine(from rest: inout ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
    guard let end = rest.firstIndex(of: UInt8(ascii: "\n")) else { return nil }
    let line = rest[..<end]
    rest = rest[(end + 1)...]
    return line.last == UInt8(ascii: "\r") ? line.dropLast() : line
  }

  private static func text(_ line: ArraySlice<UInt8>) -> Substring {
    String(decoding: line, as: UTF8.self)[...]
  }

  /// The result for a head without an end.
  private static func unfinished(_ bytes: [UInt8], _ hasEnded: Bool) -> HTTPRequest {
    guard bytes.count < byteCountMax else { return .refused(.headTooLarge) }
    return hasEnded ? .refused(.badRequest) : .incomplete
  }

  /// The method and the target of a request line; nil if the line is invalid.
  private static func parts(of line: Substring) -> (method: Substring, target: Substring)? {
    let parts = line.split(separator: " ", omittingEmptySubsequences: false)
    guard parts.count == 3, !parts[0].isEmpty, parts[0].allSatisfy(isOfToken), !parts[1].isEmpty,
      parts[2] == "HTTP/1.1" || parts[2] == "HTTP/1.0"
    else { return nil }
    return (parts[0], parts[1])
  }

  private static func isOfToken(_ character: Character) -> Bool {
    character.isASCII && (character.isLetter || character.isNumber || "!#$%&'*+-.^_`|~".contains(character))
  }

  /// The path of a target, which may be an absolute URL, without query and fragment.
  private static func path(of target: Substring) -> String {
    var path = target
    if path.lowercased().hasPrefix("http://") {
      path = path.dropFirst(7).drop { $0 != "/" }
      if path.isEmpty { path = "/" }
    }
    return String(path.prefix { $0 != "?" && $0 != "#" })
  }
}

/// The status of an HTTP response.
enum HTTPStatus: Int {
  case fine = 200
  case badRequest = 400
  case notFound = 404
  case methodNotAllowed = 405
  case timedOut = 408
  case headTooLarge = 431
  case busy = 503

  private var words: String {
    switch self {
    case .fine: "OK"
    case .badRequest: "Bad Request"
    case .notFound: "Not Found"
    case .methodNotAllowed: "Method Not Allowed"
    case .timedOut: "Request Timeout"
    case .headTooLarge: "Request Header Fields Too Large"
    case .busy: "Service Unavailable"
    }
  }

  /// A whole response with a document.
  ///
  /// - Parameters:
  ///   - contentType: the document's media type.
  ///   - isHead: whether the document is left out.
  func response(
    _ document: [UInt8], _ contentType: String = "text/plain; charset=utf-8", isHead: Bool = false
  ) -> [UInt8] {
    var head = "HTTP/1.1 \(rawValue) \(words)\r\nContent-Type: \(contentType)\r\n"
    head += "Content-Length: \(document.count)\r\nCache-Control: no-store\r\nConnection: close\r\n"
    if self == .methodNotAllowed { head += "Allow: GET, HEAD\r\n" }
    return Array((head + "\r\n").utf8) + (isHead ? [] : document)
  }

  /// A response with the status's words as its document.
  var response: [UInt8] { response(Array("\(words)\n".utf8)) }
}
