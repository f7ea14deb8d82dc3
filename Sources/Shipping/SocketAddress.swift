import Glibc

/// Where a socket leads to.
public enum SocketAddress: Sendable, Equatable, CustomStringConvertible {
  /// A socket in the file system.
  case unix(path: String)
  /// A port of a host, which is a name or an address of either kind.
  case tcp(host: String, port: UInt16)

  /// The longest path that a socket's address has room for, its terminator left out.
  private static let pathByteCountMax = MemoryLayout.size(ofValue: sockaddr_un().sun_path) - 1

  /// Reads `unix:PATH`, `tcp:HOST:PORT` or `tcp:[ADDRESS]:PORT`.
  public init(_ text: String) throws(OptionValueError) {
    if text.hasPrefix("unix:") {
      let path = String(text.dropFirst(5))
      guard !path.isEmpty else { throw Self.misunderstood(text) }
      guard path.utf8.count <= Self.pathByteCountMax else {
        throw OptionValueError(
          value: text, problem: "is too long: a socket's path has at most \(Self.pathByteCountMax) bytes")
      }
      self = .unix(path: path)
    } else if text.hasPrefix("tcp:"), let colon = text.lastIndex(of: ":") {
      var host = text[..<colon].dropFirst(4)
      let port = text[text.index(after: colon)...]
      if host.hasPrefix("["), host.hasSuffix("]") {
        host = host.dropFirst().dropLast()
      } else if host.contains(":") {
        throw OptionValueError(value: text, problem: "needs brackets: tcp:[ADDRESS]:PORT")
      }
      guard !host.isEmpty, let number = UInt16(port), number > 0, port.allSatisfy(\.isNumber) else {
        throw Self.misunderstood(text)
      }
      self = .tcp(host: String(host), port: number)
    } else {
      throw Self.misunderstood(text)
    }
  }

  private static func misunderstood(_ text: String) -> OptionValueError {
    OptionValueError(value: text, problem: "is not unix:PATH, tcp:HOST:PORT or tcp:[ADDRESS]:PORT")
  }

  /// As it is typed.
  public var description: String {
    switch self {
    case .unix(let path): "unix:\(path)"
    case .tcp(let host, let port): host.contains(":") ? "tcp:[\(host)]:\(port)" : "tcp:\(host):\(port)"
    }
  }
}
