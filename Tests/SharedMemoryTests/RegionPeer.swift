import Glibc
import SharedMemory
import TestSupport

/// Another process that handles a region by the test's commands.
struct RegionPeer {
  /// Options for regions that peers join.
  ///
  /// The thread sanitizer keeps the middle of the address space for itself. Behind it are the addresses at
  /// which executables are loaded, different in each process; far above them, no process has anything mapped.
  static let options: ResizableRegion.Options =
    dlsym(nil, "__tsan_init") == nil ? .init() : .init(searchStart: 0x7b00_0000_0000)

  private let process: ChildProcess
  private let commands: Int32
  private let directory: TemporaryDirectory

  /// Starts the process.
  init() throws(SupportError) {
    guard let path = Subject.builtExecutable("RegionProbe") else {
      throw SupportError("no RegionProbe beside the tests")
    }
    directory = try TemporaryDirectory()
    let pipe = directory.file("commands")
    guard mkfifo(pipe, 0o600) == 0 else { throw SupportError("make \(pipe)", errno: errno) }
    // Opened for both directions: opening for one would wait for the other end.
    commands = open(pipe, O_RDWR | O_CLOEXEC)
    guard commands >= 0 else { throw SupportError("open \(pipe)", errno: errno) }
    var command = Command(path)
    command.input = .file(pipe)
    process = try ChildProcess(command)
  }

  /// Sends a command without waiting for its result.
  func tell(_ command: String) throws(SupportError) {
    let line = Array((command + "\n").utf8)
    guard write(commands, line, line.count) == line.count else {
      throw SupportError("tell a peer to \(command)", errno: errno)
    }
  }

  /// The answer to the oldest command that has not been answered.
  func reply() throws(SupportError) -> String {
    guard let line = try process.output?.nextLine(by: .after(.seconds(60))) else {
      let end = try process.wait(by: .after(.seconds(10)))
      throw SupportError("the peer ended: \(end)")
    }
    return line
  }

  /// Sends a command and waits for the answer.
  @discardableResult
  func ask(_ command: String) throws(SupportError) -> String {
    try tell(command)
    return try reply()
  }

  /// Ends the process without warning.
  func kill() throws(SupportError) {
    process.signal(SIGKILL)
    try process.wait(by: .after(.seconds(10)))
    close(commands)
  }
}
