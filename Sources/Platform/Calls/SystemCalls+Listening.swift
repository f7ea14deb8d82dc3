import CShims
import Glibc

/// Listening sockets, and the connections made to them.
extension SystemCalls {
  /// A socket that is listened to at an address; its connections wait until they are accepted.
  package func listen(at address: NativeAddress, backlog: Int32) throws(Errno) -> Int32 {
    let descriptor = try makeSocket(address.family)
    do throws(Errno) {
      var yes: Int32 = 1
      let size = socklen_t(MemoryLayout<Int32>.size)
      // Remains of a former process's connections don't keep the address in use.
      _ = unsafe setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, size)
      _ = try perform(.bind) { _ in
        unsafe address.bytes.withUnsafeBytes {
          unsafe Glibc.bind(
            descriptor, $0.baseAddress?.assumingMemoryBound(to: sockaddr.self), socklen_t($0.count))
        }
      }
      _ = try perform(.listen) { _ in Glibc.listen(descriptor, backlog) }
      return descriptor
    } catch {
      _ = Glibc.close(descriptor)
      throw error
    }
  }

  /// Accepts a waiting connection.
  package func accept(_ descriptor: Int32) throws(Errno) -> Int32 {
    try perform(.accept) { _ in shim_accept(descriptor) }
  }

  /// Receives bytes that have arrived; none if the peer has ended its sending side.
  package func receive(_ descriptor: Int32, into buffer: inout [UInt8]) throws(Errno) -> Int {
    let count = buffer.count
    return try perform(.recv) { limit in
      unsafe recv(descriptor, &buffer, min(limit, count), Int32(MSG_DONTWAIT))
    }
  }

  /// The port of a TCP socket.
  package func port(ofSocket descriptor: Int32) -> UInt16? {
    var address = sockaddr_storage()
    var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
    let result = unsafe withUnsafeMutablePointer(to: &address) {
      unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe getsockname(descriptor, $0, &size)
      }
    }
    guard result == 0 else { return nil }
    // Both kinds of addresses have the port in the same place, behind the family.
    return unsafe withUnsafeBytes(of: address) {
      unsafe UInt16(bigEndian: $0.loadUnaligned(fromByteOffset: 2, as: UInt16.self))
    }
  }
}
