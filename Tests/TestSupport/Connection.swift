import Glibc

/// A TCP connection to a port of this machine.
///
/// Calls give up after ten seconds without progress, so that a server that hangs causes an error rather than
/// a test that never ends.
struct Connection: ~Copyable {
  private let descriptor: Int32

  /// Connects to a port.
  ///
  /// - Parameter receiveBytes: The size of the receive buffer, which limits what the kernel takes in while
  ///   the test doesn't read; the system's default if nil.
  init(port: UInt16, receiveBytes: Int32? = nil) throws(SupportError) {
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { throw SupportError("make a socket", errno: errno) }
    var limit = timeval(tv_sec: 10, tv_usec: 0)
    var one: Int32 = 1
    let limitSize = socklen_t(MemoryLayout<timeval>.size)
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, limitSize)
    setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, limitSize)
    setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(4))
    if var receiveBytes { setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &receiveBytes, socklen_t(4)) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    let status = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
        retryingInterrupts {
          connect(descriptor, pointer, socklen_t(MemoryLayout<sockaddr_in>.size))
        }
      }
    }
    guard status == 0 else { throw SupportError("connect to port \(port)", errno: errno) }
  }

  deinit { close(descriptor) }

  /// Shuts down the sending side.
  func endSending() { shutdown(descriptor, Int32(SHUT_WR)) }

  /// Sends all of `bytes`; `false` if the connection is lost.
  func send(_ bytes: [UInt8]) -> Bool {
    var offset = 0
    while offset < bytes.count {
      let count = bytes.withUnsafeBytes { buffer in
        let rest = UnsafeRawBufferPointer(rebasing: buffer[offset...])
        return retryingInterrupts {
          Glibc.send(descriptor, rest.baseAddress, rest.count, Int32(MSG_NOSIGNAL))
        }
      }
      guard count > 0 else { return false }
      offset += count
    }
    return true
  }

  /// Appends what has arrived, at least a byte; `false` if the connection is lost or was quiet for too long.
  func receive(into bytes: inout [UInt8]) -> Bool {
    let count = withUnsafeTemporaryAllocation(byteCount: 1 << 16, alignment: 16) { chunk in
      let count = retryingInterrupts { recv(descriptor, chunk.baseAddress, chunk.count, 0) }
      if count > 0 { bytes += chunk[..<count] }
      return count
    }
    return count > 0
  }
}
