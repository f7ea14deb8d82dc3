import CShims
package import Glibc

/// A queue of messages to standard error or to the system's log.
///
/// Either may be slow or accept nothing more: a full pipe, a stopped terminal, a journal that hangs. So a
/// separate thread writes, and threads that report something never wait. Messages that find no room are
/// counted, and their number is reported as soon as messages are accepted again.
package final class MessageQueue: Sendable {
  /// The queue of this process.
  package static let shared = MessageQueue { write($0, to: STDERR_FILENO) }

  /// Writes a message; called on the queue's thread, and may block.
  package typealias Destination = @Sendable (_ message: Message) -> Void

  /// A message.
  package struct Message: Sendable {
    /// The name in front of the message, if it has one.
    package var program: String?
    /// One line, as a rule.
    package var text: String

    /// The message as it is written to standard error.
    package var line: String { program.map { "\($0): \(text)" } ?? text }
  }

  private struct State {
    var destination: Destination
    var waiting: [Message] = []
    var waitingBytes = 0
    var droppedCount = 0
    /// The name in front of the last message.
    var program: String?
    /// How many messages the destination has accepted or is accepting, so that a wait can tell whether it
    /// advances.
    var takenCount = 0
    var hasThread = false
    var isWriting = false
  }

  /// How many bytes of messages may wait.
  private static let waitingBytesMax = 64 << 10

  private let state: Guarded<State>
  private let hasWork = WakeSignal()
  private let hasWritten = WakeSignal()

  /// A queue in front of a destination.
  package init(_ destination: @escaping Destination) {
    state = Guarded(State(destination: destination))
  }

  /// Puts a message at the end of the queue.
  ///
  /// - Parameter program: the name in front of the message, if there is to be one.
  package func say(_ text: String, as program: String?) {
    let needsThread = state.withLock { state in
      // A single message of any length finds room; those that would accumulate behind it don't.
      guard state.waiting.isEmpty || state.waitingBytes + text.utf8.count <= Self.waitingBytesMax else {
        state.droppedCount += 1
        return false
      }
      state.waiting.append(Message(program: program, text: text))
      state.program = program
      state.waitingBytes += text.utf8.count
      defer { state.hasThread = true }
      return !state.hasThread
    }
    if needsThread { startThread() }
    hasWork.signal()
  }

  /// Waits until all messages have been written, unless the destination accepts nothing more.
  ///
  /// - Parameter nanoseconds: how long the destination may take for one message.
  package func flush(nanoseconds: Int64 = 500_000_000) {
    var taken = -1
    while true {
      let (isEmpty, now) = state.withLock {
        ($0.waiting.isEmpty && $0.droppedCount == 0 && !$0.isWriting, $0.takenCount)
      }
      if isEmpty || (now == taken && !hasWritten.wait(nanoseconds: nanoseconds)) { return }
      taken = now
    }
  }

  /// Sends messages to another destination from now on.
  package func redirect(to destination: @escaping Destination) {
    state.withLock { $0.destination = destination }
  }

  /// Forks while no thread is in the midst of changing the queue.
  ///
  /// The child begins with an empty queue and without the queue's thread, which is started again for its
  /// first message; the waiting messages are written by the parent.
  package func fork() -> pid_t {
    state.withLock { state in
      let process = shim_fork()
      if process == 0 {
        state.waiting = []
        state.waitingBytes = 0
        state.hasThread = false
        state.isWriting = false
      }
      return process
    }
  }

  private struct Loop: ThreadLoop {
    let queue: MessageQueue
    func run() {
      while true {
        queue.writeWaiting()
        queue.hasWork.wait(nanoseconds: nil)
      }
    }
  }

  private func startThread() {
    if let thread = try? WorkerThread.start(Loop(queue: self)) {
      pthread_detach(thread)
    } else {
      // Without a thread, the messages are written here: late is better than never.
      writeWaiting()
      state.withLock { $0.hasThread = false }
    }
  }

  private func writeWaiting() {
    while let (destination, message) = next() {
      destination(message)
      state.withLock { $0.takenCount += 1 }
      hasWritten.signal()
    }
    hasWritten.signal()
  }

  /// The next message and its destination; nil if there is none, and then nothing is being written.
  private func next() -> (Destination, Message)? {
    state.withLock { state in
      state.isWriting = true
      if !state.waiting.isEmpty {
        let message = state.waiting.removeFirst()
        state.waitingBytes -= message.text.utf8.count
        return (state.destination, message)
      }
      guard state.droppedCount > 0 else {
        state.isWriting = false
        return nil
      }
      let text =
        "\(state.droppedCount) messages were dropped: there was no room for them while none were taken"
      state.droppedCount = 0
      return (state.destination, Message(program: state.program, text: text))
    }
  }

  /// Writes a line to a descriptor, however long that takes; stops at an error, which can't be reported
  /// anywhere.
  package static func write(_ message: Message, to descriptor: Int32) {
    let line = Array("\(message.line)\n".utf8)
    var written = 0
    while written < line.count {
      let count = unsafe line[written...].withUnsafeBytes {
        unsafe Glibc.write(descriptor, $0.baseAddress, $0.count)
      }
      if count >= 0 {
        written += count
      } else if errno == EAGAIN {
        var request = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        _ = unsafe poll(&request, 1, -1)
      } else if errno != EINTR {
        return
      }
    }
  }
}
