import Platform
public import Shipping

/// The address at which metrics are served: `HOST:PORT`, `[ADDRESS]:PORT`, or `unix:PATH`.
public enum ListenAddress: Sendable, Hashable, CustomStringConvertible {
  /// A TCP port at an address; 0 stands for any free port.
  case tcp(host: String, port: UInt16)
  /// A socket in the file system.
  case unix(path: String)

  /// The port at which a local Prometheus expects the exporter whose metric names are used here.
  public static let usual = ListenAddress.tcp(host: "127.0.0.1", port: 9131)

  /// Reads an address.
  public init(_ text: String) throws(OptionValueError) {
    if text.hasPrefix("unix:"), text != "unix:" {
      self = .unix(path: String(text.dropFirst(5)))
      return
    }
    guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]),
      text[text.index(after: colon)...].allSatisfy(\.isNumber), colon > text.startIndex
    else { throw OptionValueError(value: text, problem: "is not HOST:PORT, [ADDRESS]:PORT or unix:PATH") }
    var host = text[..<colon]
    if host.hasPrefix("["), host.hasSuffix("]") {
      host = host.dropFirst().dropLast()
    } else if host.contains(":") {
      throw OptionValueError(value: text, problem: "needs brackets: [ADDRESS]:PORT")
    }
    guard !host.isEmpty, !host.contains(where: \.isWhitespace) else {
      throw OptionValueError(value: text, problem: "has no host in front of its port")
    }
    self = .tcp(host: String(host), port: port)
  }

  /// The address as it is typed.
  public var description: String {
    switch self {
    case .tcp(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    case .unix(let path): "unix:\(path)"
    }
  }

  /// How many connections may wait to be accepted.
  private static let backlog: Int32 = 32

  /// Listens at the address; resolving a host name may take a while.
  func listen(_ system: SystemCalls = .real) throws(SystemError) -> ListeningSocket {
    switch self {
    case .unix(let path):
      do throws(SocketFileError) {
        return try ListeningSocket.make(path: path, mode: 0o660, backlog: Self.backlog)
      } catch {
        if case .system(let error) = error { throw error }
        throw SystemError(operation: "listen", path: description, problem: error.description)
      }
    case .tcp(let host, let port):
      let addresses: [SystemCalls.NativeAddress]
      do throws(SystemCalls.LookupError) {
        addresses = try system.addresses(ofHost: host, port: port)
      } catch {
        throw SystemError(operation: "look up the address", path: description, problem: error.description)
      }
      var failure = Errno.invalid
      for address in addresses {
        do throws(Errno) {
          return ListeningSocket(descriptor: try system.listen(at: address, backlog: Self.backlog))
        } catch {
          failure = error
        }
      }
      throw SystemError(operation: "listen", path: description, errno: failure)
    }
  }
}
