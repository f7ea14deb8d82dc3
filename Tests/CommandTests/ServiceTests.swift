import Glibc
import TestSupport
import Testing

/// The notifications of a run to the service manager.
@Suite(.needs(.spillway))
struct ServiceTests {
  private let home: TemporaryDirectory
  private let manager: NotifySocket

  init() throws {
    home = try TemporaryDirectory()
    manager = try NotifySocket(path: home.file("notify"))
  }

  private func environment(watchdog: String? = "2000000") -> [String: String?] {
    ["SPILLWAY_COMPAT": nil, "NOTIFY_SOCKET": manager.path, "WATCHDOG_USEC": watchdog, "WATCHDOG_PID": nil]
  }

  private func command(_ arguments: [String]) throws -> Command {
    var command = try Subject.found().ncsa(arguments)
    command.environment = environment()
    return command
  }

  /// The status messages, without the parts that depend on time.
  private var states: [String] {
    manager.messages.flatMap { $0.split(separator: "\n") }.map(String.init).filter {
      !$0.hasPrefix("STATUS=") && !$0.hasPrefix("WATCHDOG=")
    }
  }

  @Test func `a live run is ready, alive, reloading and stopping, in that order`() async throws {
    try await onOwnThread {
      let instance = try SampleWorkdir()
      _ = try instance.startWorker(eighthWords: 512)
      let child = try ChildProcess(try command(["-n", instance.path, "-w", home.file("log")]))
      try manager.message("READY=1")
      for _ in 0..<3 { try manager.message("WATCHDOG=1") }
      child.signal(SIGHUP)
      try manager.message("READY=1")
      // The log disappears: the run reports this as a state, not as a hang.
      instance.stopWorker()
      try manager.message("STATUS=\(instance.path): waits for a log")
      for _ in 0..<3 { try manager.message("WATCHDOG=1") }
      #expect(try child.terminate(by: .after(.seconds(30))).status == 0)
      try manager.message("STOPPING=1")
      #expect(states.count == 5)
      #expect(states[0] == "READY=1")
      #expect(states[1] == "RELOADING=1")
      #expect(states[2].hasPrefix("MONOTONIC_USEC="))
      #expect(states[3...] == ["READY=1", "STOPPING=1"])
    }
  }

  @Test func `the one that was started makes the one in the background the main process`() async throws {
    try await onOwnThread {
      let instance = try SampleWorkdir()
      _ = try instance.startWorker(eighthWords: 512)
      let result = try ProcessRunner.run(
        try command(["-D", "-n", instance.path, "-w", home.file("log"), "-P", home.file("pid")]))
      #expect(result.status == 0, "\(result.errorText)")
      let number = try #require(pid_t(try readText(home.file("pid"))))
      defer { kill(number, SIGKILL) }
      #expect(try manager.message("READY=1").hasPrefix("MAINPID=\(number)\nREADY=1"))
      try manager.message("WATCHDOG=1")
      kill(number, SIGTERM)
      try manager.message("STOPPING=1")
      #expect(states == ["MAINPID=\(number)", "READY=1", "STOPPING=1"])
    }
  }

  @Test func `a run that can't begin is never ready`() throws {
    let result = try ProcessRunner.run(try command(["-n", home.file("none"), "-t", "0"]))
    #expect(result.status == 1)
    #expect(try manager.next(by: .after(.milliseconds(1))) == nil)
  }

  @Test func `waiting for input, for room and for a consumer is no reason for a restart`() async throws {
    try await onOwnThread {
      let pipe = home.file("pipe")
      try #require(mkfifo(pipe, 0o600) == 0)
      let writer = open(pipe, O_RDWR | O_CLOEXEC)
      var command = try command([
        "-r", pipe, "-F", "%{Varnish:vxid}x \(String(repeating: "x", count: 60_000))",
      ])
      command.output = .unread
      let child = try ChildProcess(command)
      let beginning = StartTests.log.bytes
      #expect(Glibc.write(writer, beginning, beginning.count) == beginning.count)
      try manager.message("READY=1")
      // There is nothing more to read.
      for _ in 0..<3 { try manager.message("WATCHDOG=1") }
      // More lines than the spool has room for, none of which is taken.
      var log = LogFileBuilder()
      for vxid in 4..<404 { log.add(lines: "\(vxid) c Begin req 1 rxreq\n\(vxid) c End") }
      let bytes = log.bytes[LogFileBuilder().byteCount...]
      #expect(bytes.withUnsafeBytes { Glibc.write(writer, $0.baseAddress, $0.count) } == bytes.count)
      for _ in 0..<6 { try manager.message("WATCHDOG=1") }
      child.signal(SIGTERM)
      try manager.message("STOPPING=1")
      close(writer)
      _ = try child.wait(by: .after(.seconds(60)))
    }
  }

  @Test func `commands that are started don't inherit the manager's socket`() throws {
    let got = home.file("got")
    var command = try command(["-r", "-", "--exec", "cat >/dev/null; env > '\(got)'"])
    command.input = .bytes(StartTests.log.bytes)
    let result = try ProcessRunner.run(command)
    #expect(result.status == 0, "\(result.errorText)")
    let environment = try readText(got)
    #expect(environment.contains("PATH="))
    #expect(!environment.contains("NOTIFY_SOCKET") && !environment.contains("WATCHDOG"))
  }
}
