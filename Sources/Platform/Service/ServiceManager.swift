import CShims
package import Glibc

/// The service manager that started this process, if it asked to be notified: systemd, by its notify
/// protocol.
///
/// Nothing here waits, and no failure here ends a run. Messages that a run's state depends on (ready,
/// reloading, stopping, the main process) are kept when the manager's socket is full or away for a moment,
/// and are sent before the next message, or by `retry`; of the other messages, only the latest status is
/// kept.
///
/// The manager believes the main process, and other processes only if the unit says `NotifyAccess=all`. So a
/// process that continues in the background (`-D`) is made the main process by its parent, before the parent
/// ends. Where a stand-in is a container's first process, its child's number means nothing outside, and is
/// not sent.
package final class ServiceManager: Sendable {
  /// The messages about a run.
  package enum Event: Equatable, Sendable {
    /// The run does its work; also the end of a reload.
    case ready
    /// The configuration is read again, since this moment of the steady clock.
    case reloading(nanoseconds: Int64)
    /// The run is about to end.
    case stopping
    /// What the run does, as one line for users.
    case status(String)
    /// The run is alive; sent at least twice in `watchdogNanoseconds`.
    case watchdog
    /// From now on another process is the main process; sent by the present one.
    case mainProcess(pid_t)
  }

  /// A socket's address, as given in `NOTIFY_SOCKET`.
  private struct Address: Sendable {
    let bytes: [UInt8]

    /// Reads a path or, with `@` in front, an abstract name.
    init(_ text: String) throws(Trouble) {
      var bytes = Array(text.utf8)
      switch bytes.first {
      case UInt8(ascii: "/"): break
      case UInt8(ascii: "@") where bytes.count > 1: bytes[0] = 0
      default:
        if text.hasPrefix("vsock") { throw Trouble("\(text): sockets of a virtual machine aren't supported") }
        throw Trouble("\(text): neither a path nor an abstract name")
      }
      guard bytes.count <= shim_socket_path_max() else {
        throw Trouble("\(text): has more than the \(shim_socket_path_max()) bytes that an address may have")
      }
      self.bytes = bytes
    }
  }

  private struct Trouble: Error {
    let text: String
    init(_ text: String) { self.text = text }
  }

  private struct State {
    var descriptor: Int32 = -1
    /// Assignments that haven't been sent yet, the oldest first.
    var waiting: [String] = []
    var waitingStatus: String?
  }

  /// How often the manager must hear that the run is alive, in nanoseconds; nil if it doesn't require that.
  package let watchdogNanoseconds: Int64?
  /// Why a manager that asks to be notified can't be, for a message at higher verbosity; nil if it can.
  package let trouble: String?
  private let address: Address?
  private let state = Guarded(State())

  /// More waiting states than this mean that the manager is gone for good.
  private static let waitingCountMax = 16
  /// The manager refuses messages of more than 4096 bytes.
  private static let statusBytesMax = 1024

  /// Reads the values that the manager has put into the environment.
  ///
  /// - Parameters:
  ///   - socket: `NOTIFY_SOCKET`.
  ///   - watchdogMicroseconds: `WATCHDOG_USEC`.
  ///   - watchdogProcess: `WATCHDOG_PID`: the process that the watchdog watches.
  ///   - process: this process.
  package init(
    socket: String?, watchdogMicroseconds: String? = nil, watchdogProcess: String? = nil,
    process: pid_t = getpid()
  ) {
    var trouble: String?
    do {
      address = try socket.map { (text) throws(Trouble) in try Address(text) }
    } catch {
      address = nil
      trouble = "NOTIFY_SOCKET: \(error.text)"
    }
    let isWatched = watchdogProcess == nil || watchdogProcess.flatMap { pid_t($0) } == process
    let microseconds = watchdogMicroseconds.flatMap { Int64($0) } ?? 0
    // More than a year is as good as never, and doesn't overflow.
    watchdogNanoseconds =
      address != nil && isWatched && microseconds > 0 ? min(microseconds, 1 << 45) * 1000 : nil
    self.trouble = trouble
    state.withLock { state in if let address { Self.open(&state, address) } }
  }

  deinit {
    let descriptor = state.withLock { $0.descriptor }
    if descriptor >= 0 { close(descriptor) }
  }

  /// Takes the manager's variables out of the environment, so that no command that is started inherits them.
  ///
  /// Called at the beginning, when there is one thread: before `-D` starts another process (the watchdog is
  /// meant for that one, too), before the user changes and before a sandbox is entered, from within which an
  /// abstract socket can't be connected to.
  package static func adopt() -> ServiceManager {
    func take(_ name: String) -> String? {
      let value = unsafe getenv(name).map { unsafe String(cString: $0) }
      unsafe unsetenv(name)
      return value
    }
    return ServiceManager(
      socket: take("NOTIFY_SOCKET"), watchdogMicroseconds: take("WATCHDOG_USEC"),
      watchdogProcess: take("WATCHDOG_PID"))
  }

  /// Whether there is a manager to be notified.
  package var isThere: Bool { address != nil }

  /// Sends events to the manager, in one message, without waiting.
  package func say(_ events: Event...) {
    guard let address else { return }
    state.withLock { state in
      var isAlive = false
      var mainProcess: String?
      for event in events {
        switch event {
        case .ready:
          // In one message: after the first of two messages, the manager would no longer believe this
          // process.
          state.waiting.append(((mainProcess.map { [$0] } ?? []) + ["READY=1"]).joined(separator: "\n"))
          mainProcess = nil
        case .reloading(let nanoseconds):
          state.waiting.append("RELOADING=1\nMONOTONIC_USEC=\(nanoseconds / 1000)")
        case .stopping: state.waiting.append("STOPPING=1")
        case .mainProcess(let process): mainProcess = "MAINPID=\(process)"
        case .status(let text): state.waitingStatus = Self.shown(text)
        case .watchdog: isAlive = true
        }
      }
      if let mainProcess { state.waiting.append(mainProcess) }
      if state.waiting.count > Self.waitingCountMax {
        state.waiting.removeFirst(state.waiting.count - Self.waitingCountMax)
      }
      Self.send(&state, address, isAlive: isAlive)
    }
  }

  /// Sends messages again that the manager had no room for; called now and then.
  package func retry() {
    guard let address else { return }
    state.withLock { state in
      if !state.waiting.isEmpty || state.waitingStatus != nil { Self.send(&state, address, isAlive: false) }
    }
  }

  /// Whether messages wait to be sent.
  package var hasUntold: Bool { state.withLock { !$0.waiting.isEmpty || $0.waitingStatus != nil } }

  // MARK: Sending

  /// A text in the form that the protocol can carry: one line, no longer than the manager accepts.
  private static func shown(_ text: String) -> String {
    let line = VisibleText.oneLine(text)
    guard line.utf8.count > statusBytesMax else { return line }
    var bytes = line.utf8.prefix(statusBytesMax - 3)
    // Cut between characters: the byte behind the cut must begin one.
    while bytes.endIndex > line.startIndex, line.utf8[bytes.endIndex] & 0xc0 == 0x80 {
      bytes = bytes.dropLast()
    }
    return String(decoding: bytes, as: UTF8.self) + "..."
  }

  /// Sends the waiting states, each in a message of its own, as states may cancel each other and the manager
  /// ignores the order of lines in a message.
  private static func send(_ state: inout State, _ address: Address, isAlive: Bool) {
    while let first = state.waiting.first {
      // The last message also carries the other assignments.
      let isLast = state.waiting.count == 1
      let others = isLast ? rest(state, isAlive: isAlive) : []
      guard deliver(([first] + others).joined(separator: "\n"), &state, address) else { return }
      state.waiting.removeFirst()
      if isLast {
        state.waitingStatus = nil
        return
      }
    }
    let others = rest(state, isAlive: isAlive)
    if !others.isEmpty, deliver(others.joined(separator: "\n"), &state, address) { state.waitingStatus = nil }
  }

  private static func rest(_ state: State, isAlive: Bool) -> [String] {
    (state.waitingStatus.map { ["STATUS=\($0)"] } ?? []) + (isAlive ? ["WATCHDOG=1"] : [])
  }

  private static func deliver(_ message: String, _ state: inout State, _ address: Address) -> Bool {
    if state.descriptor < 0 { open(&state, address) }
    if send(message, state.descriptor) { return true }
    switch errno {
    case ECONNREFUSED, ECONNRESET, ENOTCONN, EPIPE, EBADF:
      // The manager has made its socket anew.
      if state.descriptor >= 0 { close(state.descriptor) }
      state.descriptor = -1
      open(&state, address)
      return send(message, state.descriptor)
    default: return false
    }
  }

  private static func send(_ message: String, _ descriptor: Int32) -> Bool {
    let bytes = Array(message.utf8)
    return retryingOnInterrupt { unsafe Int(shim_send(descriptor, bytes, bytes.count)) } == bytes.count
  }

  private static func open(_ state: inout State, _ address: Address) {
    let descriptor = shim_message_socket()
    guard descriptor >= 0 else { return }
    guard unsafe shim_connect_local(descriptor, address.bytes, address.bytes.count) == 0 else {
      let code = errno
      close(descriptor)
      errno = code
      return
    }
    state.descriptor = descriptor
  }
}
