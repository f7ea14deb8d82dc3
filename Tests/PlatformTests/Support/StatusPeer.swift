import CShims
import Glibc
import TestSupport

/// A client of a status socket that behaves as badly as a test wants.
final class StatusPeer {
  private let descriptor: Int32

  init(_ path: String) throws(SupportError) {
    descriptor = shim_stream_socket()
    let bytes = Array(path.utf8)
    let deadline = Deadline.after(.seconds(60))
    while shim_connect_local(descriptor, bytes, bytes.count) != 0 {
      // The queue of those who wait may be full for a moment.
      guard errno == EAGAIN, !deadline.hasPassed else {
        throw SupportError("connect to \(path)", errno: errno)
      }
      Deadline.after(.milliseconds(1)).sleep()
    }
  }

  deinit { close(descriptor) }

  /// Sends as much as is taken at once; how much that was, or -1 with the cause in `errno`.
  @discardableResult
  func send(_ text: String) -> Int {
    let bytes = Array(text.utf8)
    return Int(shim_send(descriptor, bytes, bytes.count))
  }

  /// Sends nothing more.
  func endSending() { shutdown(descriptor, Int32(SHUT_WR)) }

  /// What comes until the server ends the connection.
  func readToEnd() throws(SupportError) -> String {
    var answer: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 4096)
    while true {
      try wait(for: POLLIN)
      let count = read(descriptor, &buffer, buffer.count)
      // A reset is the end of a connection, too: the server had not read everything.
      if count == 0 || (count < 0 && errno == ECONNRESET) { return String(decoding: answer, as: UTF8.self) }
      if count > 0 { answer += buffer[..<count] }
    }
  }

  /// Waits until the server has ended the connection, without reading.
  func waitForEnd() throws(SupportError) { try wait(for: 0) }

  private func wait(for event: Int32) throws(SupportError) {
    // Closed by the other side, a socket says so without being asked.
    var request = pollfd(fd: descriptor, events: Int16(event), revents: 0)
    guard poll(&request, 1, 60_000) > 0 else {
      throw SupportError("the server has done nothing for a minute")
    }
  }
}
