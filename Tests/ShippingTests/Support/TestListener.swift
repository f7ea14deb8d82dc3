import Glibc
@testable import Platform
@testable import Shipping

/// A listener whose handling of connections a test controls.
final class TestListener: @unchecked Sendable {
  let address: SocketAddress
  private let descriptor: Int32

  /// Binds to a path or to a port of this machine, and listens there.
  ///
  /// With port 0 the system chooses the port. Looking for a free port first and binding to it later would
  /// fail: a process that another test starts meanwhile has the first socket open until it executes its
  /// program.
  init(_ address: SocketAddress, isListening: Bool = true) {
    let native: SystemCalls.NativeAddress?
    switch address {
    case .unix(let path): native = SystemCalls.real.address(ofPath: path)
    case .tcp(let host, let port): native = try? SystemCalls.real.addresses(ofHost: host, port: port).first
    }
    let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
    let descriptor = socket(native?.family ?? AF_UNSPEC, type, 0)
    let isBound = native?.bytes.withUnsafeBytes { bytes in
      bind(descriptor, bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self), socklen_t(bytes.count)) == 0
    }
    precondition(isBound == true, "\(address): \(String(cString: strerror(errno)))")
    self.descriptor = descriptor
    if case .tcp(let host, 0) = address {
      self.address = .tcp(host: host, port: Self.port(of: descriptor))
    } else {
      self.address = address
    }
    if isListening { startListening() }
  }

  deinit { close(descriptor) }

  /// Accepts connections from now on, which were refused before.
  func startListening() {
    precondition(listen(descriptor, 5) == 0, "\(address): \(String(cString: strerror(errno)))")
  }

  private static func port(of descriptor: Int32) -> UInt16 {
    var name = sockaddr_storage()
    var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
    return withUnsafeMutableBytes(of: &name) { bytes in
      getsockname(descriptor, bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self), &size)
      // Both address families have the port at the same offset.
      return UInt16(bigEndian: bytes.load(fromByteOffset: 2, as: UInt16.self))
    }
  }

  /// Waits for a connection; returns a closed peer if none comes within two minutes, or after `stop`.
  func connection() -> TestPeer {
    var descriptors = [pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)]
    guard uninterrupted({ poll(&descriptors, 1, 120_000) }) > 0 else { return TestPeer(-1) }
    // Plain `accept` would leave the connection open in a process that another test starts, for as long as
    // that runs.
    guard let connection = try? SystemCalls.real.accept(descriptor) else { return TestPeer(-1) }
    _ = fcntl(connection, F_SETFL, 0)
    return TestPeer(connection)
  }

  /// All lines of all connections, one after the other, until `stop` is called.
  func linesUntilStopped() -> [String] {
    var lines: [String] = []
    while true {
      let peer = connection()
      guard peer.isOpen else { return lines }
      lines += peer.lines()
    }
  }

  /// Accepts no more connections.
  func stop() { shutdown(descriptor, Int32(SHUT_RDWR)) }
}

/// Repeats a call that a signal has interrupted: the kernel doesn't restart calls that have a time limit.
private func uninterrupted<Result: SignedInteger>(_ call: () -> Result) -> Result {
  while true {
    let result = call()
    if result != -1 || errno != EINTR { return result }
  }
}

/// The other end of a connection; reading gives up after two minutes.
final class TestPeer {
  private var descriptor: Int32
  private var bytes: [UInt8] = []

  init(_ descriptor: Int32) {
    self.descriptor = descriptor
    var longest = timeval(tv_sec: 120, tv_usec: 0)
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &longest, socklen_t(MemoryLayout<timeval>.size))
  }

  deinit { leave() }

  var isOpen: Bool { descriptor >= 0 }

  /// Closes the connection in both directions, after which it accepts nothing.
  ///
  /// A process that is being started has all descriptors until it executes its program; without `shutdown`,
  /// lines that are sent meanwhile would be accepted.
  func close() {
    if isOpen { shutdown(descriptor, Int32(SHUT_RDWR)) }
    leave()
  }

  /// Resets the connection.
  func reset() {
    var option = linger(l_onoff: 1, l_linger: 0)
    setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
    leave()
  }

  private func leave() {
    if isOpen { Glibc.close(descriptor) }
    descriptor = -1
  }

  /// Shuts down the sending side.
  func endSending() { shutdown(descriptor, Int32(SHUT_WR)) }

  /// All bytes up to the end.
  func bytesToTheEnd() -> [UInt8] {
    var chunk = [UInt8](repeating: 0, count: 65_536)
    while true {
      let more = uninterrupted { recv(descriptor, &chunk, chunk.count, 0) }
      guard more > 0 else { return bytes }
      bytes += chunk.prefix(more)
    }
  }

  /// The next `count` bytes, and none beyond them.
  func bytes(_ count: Int) -> [UInt8] {
    var chunk = [UInt8](repeating: 0, count: count)
    let got = uninterrupted { recv(descriptor, &chunk, count, Int32(MSG_WAITALL)) }
    return Array(chunk.prefix(max(0, got)))
  }

  func send(_ text: String) {
    _ = Array(text.utf8).withUnsafeBytes {
      Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
    }
  }

  /// The next lines, `count` of them or all up to the end.
  func lines(_ count: Int = .max) -> [String] {
    var lines: [String] = []
    var chunk = [UInt8](repeating: 0, count: 65_536)
    while lines.count < count {
      if let end = bytes.firstIndex(of: UInt8(ascii: "\n")) {
        let whole = splitUpTo(count - lines.count, end)
        lines += whole
        continue
      }
      let more = uninterrupted { recv(descriptor, &chunk, chunk.count, 0) }
      if more <= 0 { break }
      bytes += chunk.prefix(more)
    }
    return lines
  }

  /// Splits whole lines off the bytes received.
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
