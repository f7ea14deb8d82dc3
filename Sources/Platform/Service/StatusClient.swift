import CShims
import Glibc

/// Why a run's status couldn't be read; the description is one line.
package enum StatusClientError: Error, Equatable, Sendable, CustomStringConvertible {
  /// There is no file of this name.
  case noSocket(String)
  /// No process listens there.
  case refused(String)
  /// The answer took too long.
  case timedOut(String)
  /// The answer is longer than the limit.
  case tooLong(String, bytesMax: Int)
  /// The connection ended without an answer.
  case noAnswer(String)
  /// The system refuses.
  case system(SystemError)

  /// One line about the error.
  package var description: String {
    switch self {
    case .noSocket(let path): "\(path): there is no such socket; does spillway run, with this status socket?"
    case .refused(let path): "\(path): no process answers there"
    case .timedOut(let path): "\(path): no answer in time"
    case .tooLong(let path, let bytesMax): "\(path): the answer has more than \(bytesMax) bytes"
    case .noAnswer(let path): "\(path): the connection ended without an answer"
    case .system(let error): error.description
    }
  }
}

/// Asks a run for its status.
package enum StatusClient {
  /// The whole answer.
  ///
  /// - Parameters:
  ///   - nanoseconds: how long the connection and the whole answer may take.
  ///   - bytesMax: how many bytes the answer may have.
  package static func ask(
    _ request: StatusRequest, at path: String, nanoseconds: Int64 = 5_000_000_000, bytesMax: Int = 16 << 20
  ) throws(StatusClientError) -> [UInt8] {
    let deadline = SystemClock.steadyNanoseconds + nanoseconds
    let descriptor = shim_stream_socket()
    guard descriptor >= 0 else { throw .system(SystemError(operation: "socket", path: path)) }
    defer { close(descriptor) }
    try connect(descriptor, path, by: deadline)
    try send(Array(request.line.utf8), descriptor, path, by: deadline)
    return try receive(descriptor, path, bytesMax, by: deadline)
  }

  /// How often connecting is retried when the socket's queue is full, as the kernel doesn't announce free
  /// room.
  private static let retryMilliseconds: Int32 = 20

  private static func connect(
    _ descriptor: Int32, _ path: String, by deadline: Int64
  ) throws(StatusClientError) {
    let bytes = Array(path.utf8)
    while unsafe shim_connect_local(descriptor, bytes, bytes.count) != 0 {
      switch errno {
      case EINTR: continue
      case EAGAIN:
        guard SystemClock.steadyNanoseconds < deadline else { throw .timedOut(path) }
        _ = poll(nil, 0, retryMilliseconds)
      case ENOENT: throw .noSocket(path)
      case ECONNREFUSED: throw .refused(path)
      default: throw .system(SystemError(operation: "connect", path: path))
      }
    }
  }

  private static func send(
    _ bytes: [UInt8], _ descriptor: Int32, _ path: String, by deadline: Int64
  ) throws(StatusClientError) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = unsafe rest.withUnsafeBytes { bytes in
        retryingOnInterrupt { unsafe Int(shim_send(descriptor, bytes.baseAddress, bytes.count)) }
      }
      if count >= 0 {
        rest = rest.dropFirst(count)
      } else if errno == EAGAIN {
        try wait(descriptor, POLLOUT, path, by: deadline)
      } else {
        throw failure("send", path)
      }
    }
  }

  private static func receive(
    _ descriptor: Int32, _ path: String, _ bytesMax: Int, by deadline: Int64
  ) throws(StatusClientError) -> [UInt8] {
    var answer: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 16 << 10)
    while true {
      try wait(descriptor, POLLIN, path, by: deadline)
      let count = retryingOnInterrupt { unsafe read(descriptor, &buffer, buffer.count) }
      if count > 0 {
        answer += buffer[..<count]
        guard answer.count <= bytesMax else { throw .tooLong(path, bytesMax: bytesMax) }
      } else if count == 0 {
        guard !answer.isEmpty else { throw .noAnswer(path) }
        return answer
      } else if errno != EAGAIN {
        throw failure("receive", path)
      }
    }
  }

  private static func failure(_ operation: String, _ path: String) -> StatusClientError {
    errno == EPIPE || errno == ECONNRESET
      ? .noAnswer(path) : .system(SystemError(operation: operation, path: path))
  }

  private static func wait(
    _ descriptor: Int32, _ event: Int32, _ path: String, by deadline: Int64
  ) throws(StatusClientError) {
    while true {
      let left = deadline - SystemClock.steadyNanoseconds
      guard left > 0 else { throw .timedOut(path) }
      var request = pollfd(fd: descriptor, events: Int16(event), revents: 0)
      // Returns early when a signal interrupts.
      if unsafe poll(&request, 1, Int32(min((left + 999_999) / 1_000_000, 1 << 30))) > 0 { return }
    }
  }
}
