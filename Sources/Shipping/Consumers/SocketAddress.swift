import Glibc

/// The address of a socket.
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
      guard host.utf8.allSatisfy(Self.isOfName) else {
        throw OptionValueError(value: text, problem: "has something in the host that no name or address has")
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

  /// Whether a byte may be part of a host's name or address; bytes beyond ASCII are left to the system to
  /// judge.
  private static func isOfName(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"): true
    case UInt8(ascii: ":"), UInt8(ascii: "%"), 0x80...: true
    default: false
    }
  }

  /// The address as the user types it.
  public var description: String {
    switch self {
    case .unix(let path): "unix:\(path)"
    case .tcp(let host, let port): host.contains(":") ? "tcp:[\(host)]:\(port)" : "tcp:\(host):\(port)"
    }
  }
}

/// A receiver as given to `--socket`: an address, and a framing.
public struct SocketReceiver: Sendable, Equatable {
  /// The receiver's address.
  public var address: SocketAddress
  /// The framing; nil if the user hasn't chosen one.
  public var framing: Framing?

  private static let framingOption = ",framing="

  /// A receiver at an address.
  public init(_ address: SocketAddress, framing: Framing? = nil) {
    self.address = address
    self.framing = framing
  }

  /// Reads an address, followed by `,framing=newline`, `,framing=octet-count`, `,framing=null` or nothing.
  public init(_ text: String) throws(OptionValueError) {
    // The last occurrence: a path may contain the same text.
    guard let option = text.ranges(of: Self.framingOption).last else {
      self.init(try SocketAddress(text))
      return
    }
    guard let framing = Framing(rawValue: String(text[option.upperBound...])) else {
      let names = Framing.allCases.map(\.rawValue).joined(separator: ", ")
      throw OptionValueError(value: text, problem: "has a framing that is none of \(names)")
    }
    self.init(try SocketAddress(String(text[..<option.lowerBound])), framing: framing)
  }
}
