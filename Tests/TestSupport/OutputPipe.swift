import Glibc

/// The reading end of a child's standard output or standard error.
///
/// A thread collects what arrives, so that the child never waits for a test that does something else; unless
/// the test puts this consumer to sleep in order to make the child wait.
public final class OutputPipe: Sendable {
  private struct State: Sendable {
    var isAsleep: Bool
    var isClosed = false
    var hasEnded = false
    var bytes: [UInt8] = []
    /// The offset of the line that `nextLine` returns next.
    var lineStart = 0
  }

  private let state: Monitor<State>

  private let descriptor: Int32

  init(descriptor: Int32, isAsleep: Bool) {
    self.descriptor = descriptor
    state = Monitor(State(isAsleep: isAsleep))
    detachThread { [state] in
      var chunk = [UInt8](repeating: 0, count: 1 << 16)
      var event = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      while state.wait(until: .never, for: { $0.isAsleep && !$0.isClosed ? nil : !$0.isClosed })
        == true
      {
        // Waits without the lock, but reads with it: bytes that have left the pipe are in `bytes` for any
        // other thread.
        retryingInterrupts { Glibc.poll(&event, 1, -1) }
        let hasEnded = state.withLock { state in
          let count = retryingInterrupts { read(descriptor, &chunk, chunk.count) }
          if count > 0 { state.bytes += chunk[..<count] }
          return count <= 0
        }
        if hasEnded { break }
      }
      state.withLock { state in
        close(descriptor)
        state.hasEnded = true
      }
    }
  }

  deinit { closeEnd() }

  /// Puts the consumer to sleep; it may take one more chunk of 64 KiB before it does.
  public func sleep() {
    state.withLock { $0.isAsleep = true }
  }

  /// Makes the consumer read, if it sleeps.
  public func wake() {
    state.withLock { $0.isAsleep = false }
  }

  /// Closes the pipe: to the child, a sleeping consumer vanishes.
  ///
  /// A consumer that isn't asleep closes the pipe after the next chunk.
  public func closeEnd() {
    state.withLock { $0.isClosed = true }
  }

  /// Everything that was collected up to now.
  public var bytes: [UInt8] {
    // A copy with a storage of its own: the thread sanitizer doesn't see when a shared storage stops being
    // shared.
    state.withLock { $0.bytes.withUnsafeBufferPointer { Array($0) } }
  }

  /// Everything that was collected up to now, as text.
  public var text: String { String(decoding: bytes, as: UTF8.self) }

  /// Waits until everything written up to now is collected, unless the consumer sleeps or has gone.
  ///
  /// Other processes than the child may still have the pipe open; the call doesn't wait for those.
  func collectRest(by deadline: Deadline) {
    _ = state.wait(until: deadline) { [descriptor] state -> Void? in
      if state.hasEnded || state.isClosed || state.isAsleep { return () }
      var waiting: Int32 = 0
      return ioctl(descriptor, UInt(FIONREAD), &waiting) == 0 && waiting > 0 ? nil : ()
    }
  }

  /// Waits until the child and all processes that inherited its end of the pipe have closed it.
  public func waitForEnd(by deadline: Deadline) throws(SupportError) {
    guard state.wait(until: deadline, for: { $0.hasEnded ? true : nil }) != nil else {
      throw SupportError("the pipe is still open; collected: \(text.suffix(400))")
    }
  }

  /// Waits for the next whole line, without its newline.
  ///
  /// - Returns: `nil` when the output has ended.
  public func nextLine(by deadline: Deadline) throws(SupportError) -> String? {
    let line = state.wait(until: deadline) { state -> String?? in
      if let end = state.bytes[state.lineStart...].firstIndex(of: UInt8(ascii: "\n")) {
        let line = String(decoding: state.bytes[state.lineStart..<end], as: UTF8.self)
        state.lineStart = end + 1
        return .some(line)
      }
      return state.hasEnded ? .some(nil) : nil
    }
    guard let line else { throw SupportError("no line in time; collected: \(text.suffix(400))") }
    return line
  }

  /// Skips lines up to the first that contains `text`, and returns that one.
  @discardableResult
  public func line(containing text: String, by deadline: Deadline) throws(SupportError) -> String {
    while let line = try nextLine(by: deadline) {
      if line.contains(text) { return line }
    }
    throw SupportError("the output ended without “\(text)”; collected: \(self.text.suffix(400))")
  }

  /// Skips the lines that were collected up to now.
  public func skipLines() {
    state.withLock { $0.lineStart = $0.bytes.count }
  }
}
