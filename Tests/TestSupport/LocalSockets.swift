import Glibc

/// The notification socket of a service manager, which collects the messages that it receives.
public final class NotifySocket: @unchecked Sendable {
  /// The value for `NOTIFY_SOCKET`.
  public let path: String
  /// All messages that have arrived, in order.
  public private(set) var messages: [String] = []
  private let descriptor: Int32

  /// Makes the socket.
  public init(path: String) throws(SupportError) {
    self.path = path
    descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    let result = withAddress(path) { bind(descriptor, $0, $1) }
    guard result == 0 else { throw SupportError("bind \(path)", errno: errno) }
  }

  deinit { close(descriptor) }

  /// Waits for a message that contains a given line.
  @discardableResult
  public func message(_ line: String, by deadline: Deadline = .after(.seconds(60))) throws(SupportError)
    -> String
  {
    while true {
      guard let message = try next(by: deadline) else {
        throw SupportError("no “\(line)” in time; there were \(messages)")
      }
      if message.split(separator: "\n").contains(where: { $0 == line }) { return message }
    }
  }

  /// The next message; nil if none comes in time.
  public func next(by deadline: Deadline) throws(SupportError) -> String? {
    var buffer = [UInt8](repeating: 0, count: 8192)
    var text: String?
    _ = try poll(every: .milliseconds(5), until: deadline) {
      let count = recv(descriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT))
      if count > 0 { text = String(decoding: buffer[..<count], as: UTF8.self) }
      return count > 0
    }
    if let text { messages.append(text) }
    return text
  }
}

/// A client of a Unix-domain socket that sends a given text and reads nothing.
public final class LocalClient: @unchecked Sendable {
  private let descriptor: Int32

  /// Connects, and sends a text.
  public init(_ path: String, saying text: String) throws(SupportError) {
    descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard withAddress(path, { connect(descriptor, $0, $1) }) == 0 else {
      throw SupportError("connect to \(path)", errno: errno)
    }
    let bytes = Array(text.utf8)
    guard bytes.isEmpty || send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count
    else { throw SupportError("send to \(path)", errno: errno) }
  }

  deinit { close(descriptor) }
}

private func withAddress<Result>(
  _ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result
) -> Result {
  var address = sockaddr_un()
  address.sun_family = sa_family_t(AF_UNIX)
  withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
  return withUnsafePointer(to: &address) { pointer in
    pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
      body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
    }
  }
}
