import CShims
import Glibc
import TestSupport

/// A client of a status socket that misbehaves in the ways that tests need.
final class StatusPeer {
  private let descriptor: Int32

  init(_ path: String) throws(SupportError) {
    descriptor = shim_stream_socket()
    let bytes = Array(path.utf8)
    let deadline = Deadline.after(.seconds(60))
    while shim_connect_local(descriptor, bytes, bytes.count) != 0 {
      // The queue of waiting connections may be full for a moment.
      guard errno == EAGAIN, !deadline.hasPassed else {
        throw SupportError("connect to \(path)", errno: errno)
      }
      Deadline.after(.milliseconds(1)).sleep()
    }
  }

  deinit { close(descriptor) }

  /// Sends as many bytes as the socket takes at once; returns their number, or -1 with the cause in `errno`.
  @discardableResult
  func send(_ text: String) -> Int {
    let bytes = Array(text.utf8)
    return Int(shim_send(descriptor, bytes, bytes.count))
  }

  /// Shuts down the sending side.
  func endSending() { shutdown(descriptor, Int32(SHUT_WR)) }

  /// Reads until the server closes the connection.
  func readToEnd() throws(SupportError) -> String {
    var answer: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 4096)
    while true {
      try wait(for: POLLIN)
      let count = read(descriptor, &buffer, buffer.count)
      // A reset also ends the connection: the server had not read everything.
      if count == 0 || (count < 0 && errno == ECONNRESET) { return String(decoding: answer, as: UTF8.self) }
      if count > 0 { answer += buffer[..<count] }
    }
  }

  /// Waits until the server has closed the connection, without reading.
  func waitForEnd() throws(SupportError) { try wait(for: 0) }

  private func wait(for event: Int32) throws(SupportError) {
    // `poll` reports a socket closed by the other side even without requested events.
    var request = pollfd(fd: descriptor, events: Int16(event), revents: 0)
    guard poll(&request, 1, 60_000) > 0 else {
      throw SupportError("the server has done nothing for a minute")
    }
  }
}
