import Glibc
import TestSupport

/// Another process that writes a log by the test's commands.
struct WriterPeer {
  let process: ChildProcess
  private let commands: Int32
  private let directory: TemporaryDirectory

  /// Starts the process.
  ///
  /// - Parameter wrapper: a command line to put in front, such as that of a tracer.
  init(wrapper: [String] = []) throws(SupportError) {
    guard let path = Subject.builtExecutable("LogWriterProbe") else {
      throw SupportError("no LogWriterProbe beside the tests")
    }
    directory = try TemporaryDirectory()
    let pipe = directory.file("commands")
    guard mkfifo(pipe, 0o600) == 0 else { throw SupportError("make \(pipe)", errno: errno) }
    // Opened for both directions: opening for one would wait for the other end.
    commands = open(pipe, O_RDWR | O_CLOEXEC)
    guard commands >= 0 else { throw SupportError("open \(pipe)", errno: errno) }
    var command = Command(path)
    if let tracer = wrapper.first { command = Command(tracer, wrapper.dropFirst() + [path]) }
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

  /// Sends a command and waits for the answer; nil if the process has ended instead.
  func ask(_ command: String) throws(SupportError) -> String? {
    try tell(command)
    return try process.output?.nextLine(by: .after(.seconds(60)))
  }

  /// Sends a command that must succeed.
  func order(_ command: String) throws(SupportError) {
    let reply = try ask(command)
    guard let reply, !reply.hasPrefix("error") else {
      throw SupportError("\(command): \(reply ?? "the peer ended")")
    }
  }

  /// Ends the process without warning.
  func kill() throws(SupportError) {
    process.signal(SIGKILL)
    try process.wait(by: .after(.seconds(10)))
    close(commands)
  }
}
