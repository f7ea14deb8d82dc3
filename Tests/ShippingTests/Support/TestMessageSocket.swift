import Glibc
@testable import Platform
@testable import Shipping

/// A receiver of messages at a path, like that of the system's log.
final class TestMessageSocket {
  let path: String
  private let descriptor: Int32

  /// - Parameter type: `SOCK_DGRAM`, or another message-oriented type.
  init(_ path: String, type: __socket_type = SOCK_DGRAM) {
    self.path = path
    unlink(path)
    descriptor = socket(AF_UNIX, Int32(type.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    SystemCalls.real.address(ofPath: path).bytes.withUnsafeBytes { bytes in
      _ = bind(
        descriptor, bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self), socklen_t(bytes.count))
    }
    if type != SOCK_DGRAM { listen(descriptor, 5) }
  }

  deinit { close(descriptor) }

  /// The next messages, waiting for each.
  func messages(_ count: Int) -> [String] {
    var buffer = [UInt8](repeating: 0, count: 1 << 20)
    return (0..<count).map { _ in
      let got = recv(descriptor, &buffer, buffer.count, 0)
      return String(decoding: buffer.prefix(max(0, got)), as: UTF8.self)
    }
  }
}
