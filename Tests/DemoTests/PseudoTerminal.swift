import Glibc
import TestSupport

/// A pseudo-terminal whose user a test plays: it sees the output and presses keys.
final class PseudoTerminal: Sendable {
  /// The path of the side that programs open.
  let path: String
  private let ours: Int32
  /// Keeps the terminal open when the program has gone, and gives access to its settings.
  private let theirs: Int32
  private let shown: Monitor<[UInt8]>

  init(columns: Int, rows: Int) throws(SupportError) {
    // The C library's functions for this are not in Swift's module of it.
    ours = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)
    var lock: Int32 = 0
    var number: Int32 = 0
    guard ours >= 0, ioctl(ours, Self.setLock, &lock) == 0, ioctl(ours, Self.getNumber, &number) == 0 else {
      throw SupportError("make a terminal", errno: errno)
    }
    path = "/dev/pts/\(number)"
    theirs = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC)
    guard theirs >= 0 else { throw SupportError("open \(path)", errno: errno) }
    let shown = Monitor<[UInt8]>([])
    self.shown = shown
    resize(columns: columns, rows: rows)
    let descriptor = ours
    var thread = pthread_t()
    let context = Unmanaged.passRetained(Reader(descriptor, shown)).toOpaque()
    let status = pthread_create(
      &thread, nil,
      { context in
        guard let context else { return nil }
        Unmanaged<Reader>.fromOpaque(context).takeRetainedValue().run()
        return nil
      }, context)
    guard status == 0 else { throw SupportError("no thread", errno: status) }
    pthread_detach(thread)
  }

  /// `TIOCSPTLCK` and `TIOCGPTN`.
  private static let setLock: UInt = 0x4004_5431, getNumber: UInt = 0x8004_5430

  /// This ends the reader as well: no process has the other side open any more.
  deinit { close(theirs) }

  private final class Reader: Sendable {
    let descriptor: Int32
    let shown: Monitor<[UInt8]>

    init(_ descriptor: Int32, _ shown: Monitor<[UInt8]>) {
      self.descriptor = descriptor
      self.shown = shown
    }

    func run() {
      var chunk = [UInt8](repeating: 0, count: 1 << 16)
      while true {
        let count = read(descriptor, &chunk, chunk.count)
        guard count > 0 else { break }
        shown.withLock { $0 += chunk[..<count] }
      }
      close(descriptor)
    }
  }

  /// Starts a program with this as its controlling terminal.
  func start(_ command: Command) throws(SupportError) -> ChildProcess {
    var command = command
    command.arguments = ["--ctty", command.executable] + command.arguments
    command.executable = "setsid"
    command.input = .file(path)
    command.output = .file(path)
    command.errorOutput = .file(path)
    return try ChildProcess(command)
  }

  func press(_ key: String) {
    let bytes = Array(key.utf8)
    _ = write(ours, bytes, bytes.count)
  }

  func resize(columns: Int, rows: Int) {
    var size = winsize(ws_row: UInt16(rows), ws_col: UInt16(columns), ws_xpixel: 0, ws_ypixel: 0)
    _ = ioctl(ours, UInt(TIOCSWINSZ), &size)
  }

  /// The settings, in a form that can be compared.
  var settings: [UInt8] {
    var settings = termios()
    tcgetattr(theirs, &settings)
    return withUnsafeBytes(of: &settings) { Array($0) }
  }

  /// All output since the terminal was made.
  var text: String { shown.withLock { String(decoding: $0, as: UTF8.self) } }

  /// The size of all output, in bytes.
  var byteCount: Int { shown.withLock(\.count) }

  /// Waits until the output behind an offset satisfies a condition.
  @discardableResult
  func wait(
    from start: Int = 0, for condition: (String) -> Bool, _ what: String = "what was waited for"
  ) throws(SupportError) -> String {
    let found = shown.wait(until: .after(.seconds(30))) { bytes -> String? in
      let text = String(decoding: bytes[min(start, bytes.count)...], as: UTF8.self)
      return condition(text) ? text : nil
    }
    guard let found else { throw SupportError("\(what) isn't shown: \(text.suffix(600))") }
    return found
  }
}
