import CShims
import Glibc

/// Sockets for connections and messages, none of which ever blocks.
extension SystemCalls {
  /// An address in the system's own form.
  package struct NativeAddress: Equatable {
    package let family: Int32
    /// The address structure of the family.
    package let bytes: [UInt8]
  }

  /// Why a name has no address.
  package struct LookupError: Error {
    package let description: String
  }

  /// All addresses of a host; may take long, as it may ask name servers.
  package func addresses(ofHost host: String, port: UInt16) throws(LookupError) -> [NativeAddress] {
    var hints = unsafe addrinfo()
    unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    unsafe hints.ai_flags = AI_NUMERICSERV
    var first: UnsafeMutablePointer<addrinfo>?
    do {
      try check(.lookup)
    } catch {
      throw LookupError(description: error.description)
    }
    let code = unsafe getaddrinfo(host, String(port), &hints, &first)
    guard code == 0 else {
      let words = unsafe code == EAI_SYSTEM ? Errno(errno).description : String(cString: gai_strerror(code))
      throw LookupError(description: words)
    }
    defer { unsafe freeaddrinfo(first) }
    var addresses: [NativeAddress] = []
    var next = unsafe first
    while let entry = unsafe next?.pointee {
      let bytes = unsafe UnsafeRawBufferPointer(start: entry.ai_addr, count: Int(entry.ai_addrlen))
      unsafe addresses.append(NativeAddress(family: entry.ai_family, bytes: Array(bytes)))
      unsafe next = unsafe entry.ai_next
    }
    return addresses
  }

  /// The address of a socket in the file system, whose path is known to fit.
  package func address(ofPath path: String) -> NativeAddress {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    unsafe withUnsafeMutableBytes(of: &address.sun_path) {
      unsafe $0.copyBytes(from: path.utf8.prefix($0.count - 1))
    }
    return unsafe NativeAddress(family: AF_UNIX, bytes: withUnsafeBytes(of: address, Array.init))
  }

  /// Makes a socket that doesn't block; for a stream, keep-alive tells when the peer has vanished.
  package func makeSocket(_ family: Int32, isDatagram: Bool = false) throws(Errno) -> Int32 {
    let type = isDatagram ? SOCK_DGRAM : SOCK_STREAM
    let flags = type.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue
    let descriptor = try perform(.socket) { _ in socket(family, Int32(flags), 0) }
    var yes: Int32 = 1
    let size = socklen_t(MemoryLayout<Int32>.size)
    _ = unsafe setsockopt(descriptor, SOL_SOCKET, SO_KEEPALIVE, &yes, size)
    // Entries come in batches; waiting for more to fill a packet would only delay the last ones.
    if family != AF_UNIX { _ = unsafe setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &yes, size) }
    return descriptor
  }

  /// Connects, or starts to.
  /// - Returns: Whether the connection is made already.
  package func connect(_ descriptor: Int32, to address: NativeAddress) throws(Errno) -> Bool {
    do {
      _ = try perform(.connect) { _ in
        unsafe address.bytes.withUnsafeBytes {
          unsafe Glibc.connect(
            descriptor, $0.baseAddress?.assumingMemoryBound(to: sockaddr.self), socklen_t($0.count))
        }
      }
      return true
    } catch .inProgress {
      return false
    }
  }

  /// Whether a connection that was begun is there by now.
  package func connectionIsMade(_ descriptor: Int32) throws(Errno) -> Bool {
    var descriptors = [pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)]
    guard Self.poll(&descriptors, nanoseconds: 0) > 0 else { return false }
    var code: Int32 = 0
    var size = socklen_t(MemoryLayout<Int32>.size)
    _ = try perform(.connect) { _ in
      let result = unsafe getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &code, &size)
      if result == 0, code != 0 { errno = code }
      return code == 0 ? result : -1
    }
    return true
  }

  /// Discards bytes that a peer has sent.
  /// - Returns: Whether it may send more; false after its end.
  package func discardReceived(_ descriptor: Int32) throws(Errno) -> Bool {
    // Not for ever, even if a peer never stops sending.
    for _ in 0..<64 {
      do {
        let count = try perform(.recv) { limit in
          unsafe withUnsafeTemporaryAllocation(byteCount: 16 << 10, alignment: 1) {
            unsafe recv(descriptor, $0.baseAddress, min(limit, $0.count), Int32(MSG_DONTWAIT))
          }
        }
        if count == 0 { return false }
      } catch .wouldBlock {
        return true
      }
    }
    return true
  }

  /// How many of the bytes sent the peer's system has not acknowledged; for a socket in the file system, more
  /// than the peer has not read, but 0 only if it has read all.
  package func unsentByteCount(ofSocket descriptor: Int32) -> Int {
    var count: Int32 = 0
    let result = try? perform(.ioctl) { _ in unsafe ioctl(descriptor, UInt(TIOCOUTQ), &count) }
    return result == nil ? .max : Int(count)
  }

  /// How a connection has ended, both ways; nil as long as it hasn't.
  ///
  /// Unlike receiving, this distinguishes a peer that sends nothing more from one that has closed the
  /// connection.
  package func hangup(ofSocket descriptor: Int32) -> Hangup? {
    var descriptors = [pollfd(fd: descriptor, events: 0, revents: 0)]
    guard Self.poll(&descriptors, nanoseconds: 0) > 0 else { return nil }
    var code: Int32 = 0
    var size = socklen_t(MemoryLayout<Int32>.size)
    _ = unsafe getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &code, &size)
    return Hangup(error: code == 0 ? nil : Errno(code))
  }

  /// The end of a connection.
  package struct Hangup {
    /// The connection's error, if it wasn't closed in order.
    package let error: Errno?
  }

  /// How many acknowledged bytes the peer's system may hold unread for the peer; 0 if that can't be known.
  package func peerBufferByteCountMax(ofSocket descriptor: Int32) -> Int {
    max(0, Int(shim_peer_window_max(descriptor)))
  }

  /// How many bytes of datagrams may wait for their receiver.
  package func sendBufferByteCount(ofSocket descriptor: Int32) -> Int {
    var count: Int32 = 0
    var size = socklen_t(MemoryLayout<Int32>.size)
    return unsafe getsockopt(descriptor, SOL_SOCKET, SO_SNDBUF, &count, &size) == 0 ? Int(count) : 0
  }

  /// Ends our sending side, which tells the peer that nothing more comes.
  package func endSending(_ descriptor: Int32) throws(Errno) {
    _ = try perform(.shutdown) { _ in shutdown(descriptor, Int32(SHUT_WR)) }
  }
}
