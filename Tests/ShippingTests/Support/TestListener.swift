import Glibc
@testable import Platform
@testable import Shipping

/// Somebody who listens, and does with connections what a test tells him to.
final class TestListener: @unchecked Sendable {
  let address: SocketAddress
  private let descriptor: Int32

  /// Listens at a path, or at a port of this machine.
  init(_ address: SocketAddress) {
    let native: SystemCalls.NativeAddress?
    switch address {
    case .unix(let path): native = SystemCalls.real.address(ofPath: path)
    case .tcp(let host, let port): native = try? SystemCalls.real.addresses(ofHost: host, port: port).first
    }
    let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
    let descriptor = socket(native?.family ?? AF_UNSPEC, type, 0)
    var yes: Int32 = 1
    setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, 4)
    native?.bytes.withUnsafeBytes { bytes in
      let address = bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self)
      _ = bind(descriptor, address, socklen_t(bytes.count))
    }
    listen(descriptor, 5)
    self.address = address
    self.descriptor = descriptor
  }

  deinit { close(descriptor) }

  /// A port of this machine where nobody listens.
  static func freePort(host: String = "127.0.0.1") -> SocketAddress {
    for port in UInt16.random(in: 20_000...30_000)... {
      let address = SocketAddress.tcp(host: host, port: port)
      if TestListener(address).isListening { return address }
    }
    return .tcp(host: host, port: 1)
  }

  private var isListening: Bool {
    var value: Int32 = 0
    var size = socklen_t(4)
    getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &value, &size)
    var name = sockaddr_storage()
    var nameSize = socklen_t(MemoryLayout<sockaddr_storage>.size)
    let result = withUnsafeMutableBytes(of: &name) {
      getsockname(descriptor, $0.baseAddress?.assumingMemoryBound(to: sockaddr.self), &nameSize)
    }
    return value == 1 && result == 0
  }

  /// Waits for a connection.
  func connection() -> TestPeer { TestPeer(accept(descriptor, nil, nil)) }

  /// All lines of all connections, one after the other, until `stop` is called.
  func linesUntilStopped() -> [String] {
    var lines: [String] = []
    while true {
      let peer = connection()
      guard peer.isOpen else { return lines }
      lines += peer.lines()
    }
  }

  /// Takes no more connections.
  func stop() { shutdown(descriptor, Int32(SHUT_RDWR)) }
}

/// The other end of a connection.
final class TestPeer {
  private var descriptor: Int32
  private var bytes: [UInt8] = []

  init(_ descriptor: Int32) { self.descriptor = descriptor }

  deinit { close() }

  var isOpen: Bool { descriptor >= 0 }

  func close() {
    if descriptor >= 0 { Glibc.close(descriptor) }
    descriptor = -1
  }

  /// Breaks the connection off.
  func reset() {
    var option = linger(l_onoff: 1, l_linger: 0)
    setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
    close()
  }

  /// Says that it will send nothing more.
  func endSending() { shutdown(descriptor, Int32(SHUT_WR)) }

  /// All bytes up to the end.
  func bytesToTheEnd() -> [UInt8] {
    var chunk = [UInt8](repeating: 0, count: 65_536)
    while true {
      let more = recv(descriptor, &chunk, chunk.count, 0)
      guard more > 0 else { return bytes }
      bytes += chunk.prefix(more)
    }
  }

  /// The next bytes, this many of them, and nothing beyond.
  func bytes(_ count: Int) -> [UInt8] {
    var chunk = [UInt8](repeating: 0, count: count)
    let got = recv(descriptor, &chunk, count, Int32(MSG_WAITALL))
    return Array(chunk.prefix(max(0, got)))
  }

  func send(_ text: String) {
    _ = Array(text.utf8).withUnsafeBytes {
      Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
    }
  }

  /// The next lines, this many of them or up to the end.
  func lines(_ count: Int = .max) -> [String] {
    var lines: [String] = []
    var chunk = [UInt8](repeating: 0, count: 65_536)
    while lines.count < count {
      if let end = bytes.firstIndex(of: UInt8(ascii: "\n")) {
        let whole = splitUpTo(count - lines.count, end)
        lines += whole
        continue
      }
      let more = recv(descriptor, &chunk, chunk.count, 0)
      if more <= 0 { break }
      bytes += chunk.prefix(more)
    }
    return lines
  }

  /// Takes whole lines out of what has come.
  private func splitUpTo(_ count: Int, _ firstEnd: Int) -> [String] {
    var lines: [String] = []
    var start = 0
    var end: Int? = firstEnd
    while lines.count < count, let at = end {
      lines.append(String(decoding: bytes[start..<at], as: UTF8.self))
      start = at + 1
      end = bytes[start...].firstIndex(of: UInt8(ascii: "\n"))
    }
    bytes.removeFirst(start)
    return lines
  }
}
