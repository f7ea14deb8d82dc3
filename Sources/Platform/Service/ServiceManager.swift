import CShims
package import Glibc

/// The program that has started this one and wants to know how it does: systemd, by its notify protocol.
///
/// Nothing here waits, and nothing that goes wrong here ends a run. What a run's state depends on (ready, reloading,
/// stopping, who the main process is) is kept when the manager's socket is full or away for a moment, and goes ahead of
/// the next message, or with `retry`; of the others only the latest status is.
///
/// The manager believes the main process, and others only if the unit says `NotifyAccess=all`. So one that goes on in
/// the background (`-D`) is made the main process by the one that was started, before that one ends. Where a stand-in
/// is a container's first process, its child's number means nothing outside, and is not told.
package final class ServiceManager: Sendable {
  /// What there is to say about a run.
  package enum Event: Equatable, Sendable {
    /// It does what it was started for; also the end of a reload.
    case ready
    /// It reads its configuration again, since this moment of the steady clock.
    case reloading(nanoseconds: Int64)
    /// It is about to end.
    case stopping
    /// What it does, for people: one line.
    case status(String)
    /// It is alive; sent at least twice in `watchdogNanoseconds`.
    case watchdog
    /// From now on another process is the one that counts; said by the present one.
    case mainProcess(pid_t)
  }

  /// A socket's address, as `NOTIFY_SOCKET` has it.
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
    /// Assignments that the manager has yet to be told, the oldest first.
    var waiting: [String] = []
    var waitingStatus: String?
  }

  /// How often the manager must hear that the run is alive, in nanoseconds; nil if it doesn't ask for that.
  package let watchdogNanoseconds: Int64?
  /// Why nothing can be said to a manager that asks for it, for a message at verbosity; nil if there is no reason.
  package let trouble: String?
  private let address: Address?
  private let state = Guarded(State())

  /// More than that many states wait only if the manager is gone for good.
  private static let waitingCountMax = 16
  /// The manager refuses messages of more than 4096 bytes.
  private static let statusBytesMax = 1024

  /// Reads what the manager has put into the environment.
  ///
  /// - Parameters:
  ///   - socket: `NOTIFY_SOCKET`.
  ///   - watchdogMicroseconds: `WATCHDOG_USEC`.
  ///   - watchdogProcess: `WATCHDOG_PID`: whom the watchdog watches.
  ///   - process: who this is.
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
  /// For the beginning, when there is one thread, before `-D` makes another process of this one (the watchdog is meant
  /// for that one, too), before the user changes and before a sandbox is entered: an abstract socket can't be
  /// connected to from within.
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

  /// Whether there is a manager that listens.
  package var isThere: Bool { address != nil }

  /// Tells the manager, in one message, without waiting.
  package func say(_ events: Event...) {
    guard let address else { return }
    state.withLock { state in
      var isAlive = false
      var mainProcess: String?
      for event in events {
        switch event {
        case .ready:
          // In one message: after the first of two, the manager would no longer believe this process.
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

  /// Tries again what the manager hadn't room for; for a place that is passed now and then.
  package func retry() {
    guard let address else { return }
    state.withLock { state in
      if !state.waiting.isEmpty || state.waitingStatus != nil { Self.send(&state, address, isAlive: false) }
    }
  }

  /// Whether something waits to be told.
  package var hasUntold: Bool { state.withLock { !$0.waiting.isEmpty || $0.waitingStatus != nil } }

  // MARK: Sending

  /// A text as the protocol can carry it: one line, of a length that the manager takes.
  private static func shown(_ text: String) -> String {
    let line = VisibleText.oneLine(text)
    guard line.utf8.count > statusBytesMax else { return line }
    var bytes = line.utf8.prefix(statusBytesMax - 3)
    // Cut between characters: what follows the cut must begin one.
    while bytes.endIndex > line.startIndex, line.utf8[bytes.endIndex] & 0xc0 == 0x80 {
      bytes = bytes.dropLast()
    }
    return String(decoding: bytes, as: UTF8.self) + "..."
  }

  /// States that cancel each other go one after the other, each in a message of its own: the manager takes no order
  /// from the lines of one.
  private static func send(_ state: inout State, _ address: Address, isAlive: Bool) {
    while let first = state.waiting.first {
      // The last one takes the others with it.
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
