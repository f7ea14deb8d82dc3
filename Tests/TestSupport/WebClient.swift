/// The whole answer to an HTTP request.
public struct WebAnswer: Sendable {
  /// The status code.
  public let status: Int
  /// The header lines after the status line.
  public let fields: [String]
  /// The body.
  public let text: String

  /// Parses all bytes that a server sent before it closed the connection.
  public init(_ bytes: [UInt8]) throws(SupportError) {
    let text = String(decoding: bytes, as: UTF8.self)
    // Swift takes CR LF for a single character.
    guard let blank = text.firstRange(of: "\r\n\r\n"), let status = Int(text.dropFirst(9).prefix(3)) else {
      throw SupportError("no answer of HTTP: \(text.prefix(80))")
    }
    self.status = status
    fields = text[..<blank.lowerBound].split(separator: "\r\n").dropFirst().map(String.init)
    self.text = String(text[blank.upperBound...])
  }

  /// The value of a header field.
  public func field(_ name: String) -> String? {
    fields.first { $0.hasPrefix(name + ": ") }.map { String($0.dropFirst(name.count + 2)) }
  }

  /// Requests a page from a server on this machine.
  public static func get(
    _ target: String, port: UInt16, accept: String? = nil, method: String = "GET"
  ) throws(SupportError) -> WebAnswer {
    let accept = accept.map { "Accept: \($0)\r\n" } ?? ""
    return try ask(
      Array("\(method) \(target) HTTP/1.1\r\nHost: localhost\r\n\(accept)Connection: close\r\n\r\n".utf8),
      port: port)
  }

  /// Sends bytes and returns the answer.
  public static func ask(_ bytes: [UInt8], port: UInt16) throws(SupportError) -> WebAnswer {
    let client = try WebClient(port: port)
    client.send(bytes)
    return try WebAnswer(client.rest())
  }
}

/// An HTTP client that sends arbitrary bytes.
public struct WebClient: ~Copyable {
  private let connection: Connection

  /// Connects to a port.
  ///
  /// - Parameter receiveBytes: The size of the receive buffer, which limits what the kernel takes in while
  ///   the test doesn't read; the system's default if nil.
  public init(port: UInt16, receiveBytes: Int32? = nil) throws(SupportError) {
    connection = try Connection(port: port, receiveBytes: receiveBytes)
  }

  /// Sends bytes, as many as the connection accepts.
  @discardableResult
  public func send(_ bytes: [UInt8]) -> Bool { connection.send(bytes) }

  /// Shuts down the sending side.
  public func endSending() { connection.endSending() }

  /// All bytes that arrive until the server closes the connection.
  public func rest() -> [UInt8] {
    var bytes: [UInt8] = []
    while connection.receive(into: &bytes) {}
    return bytes
  }
}
