/// One request of HTTP, and the whole answer.
public struct WebAnswer: Sendable {
  /// The status.
  public let status: Int
  /// The lines behind it.
  public let fields: [String]
  /// The document.
  public let text: String

  /// Reads what a server has sent until it hung up.
  public init(_ bytes: [UInt8]) throws(SupportError) {
    let text = String(decoding: bytes, as: UTF8.self)
    // A line's end of two characters is one to Swift.
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

  /// Asks a server on this machine.
  public static func get(
    _ target: String, port: UInt16, accept: String? = nil, method: String = "GET"
  ) throws(SupportError) -> WebAnswer {
    let accept = accept.map { "Accept: \($0)\r\n" } ?? ""
    return try ask(
      Array("\(method) \(target) HTTP/1.1\r\nHost: localhost\r\n\(accept)Connection: close\r\n\r\n".utf8),
      port: port)
  }

  /// Sends bytes and takes the answer.
  public static func ask(_ bytes: [UInt8], port: UInt16) throws(SupportError) -> WebAnswer {
    let client = try WebClient(port: port)
    client.send(bytes)
    return try WebAnswer(client.rest())
  }
}

/// A client of HTTP that does as it likes.
public struct WebClient: ~Copyable {
  private let connection: Connection

  /// Connects.
  ///
  /// - Parameter receiveBytes: How much the system takes in for one that doesn't read; as much as it likes if nil.
  public init(port: UInt16, receiveBytes: Int32? = nil) throws(SupportError) {
    connection = try Connection(port: port, receiveBytes: receiveBytes)
  }

  /// Sends bytes, as far as they are taken.
  @discardableResult
  public func send(_ bytes: [UInt8]) -> Bool { connection.send(bytes) }

  /// Says that it sends nothing more.
  public func endSending() { connection.endSending() }

  /// Everything that comes until the server hangs up.
  public func rest() -> [UInt8] {
    var bytes: [UInt8] = []
    while connection.receive(into: &bytes) {}
    return bytes
  }
}
