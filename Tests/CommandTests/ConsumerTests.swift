import Glibc
import TestSupport
import Testing

/// Commands, sockets and named pipes at the other end of an output.
@Suite(.needs(.spillway))
struct ConsumerTests {
  private static let environment: [String: String?] = [
    "SPILLWAY_COMPAT": nil, "VARNISH_DEFAULT_N": nil, "VINYL_DEFAULT_N": nil,
  ]

  private static func ncsa(_ arguments: [String]) throws -> Command {
    var command = try Subject.found().ncsa(arguments)
    command.environment = environment
    return command
  }

  /// Runs over the log of two requests.
  private func run(_ arguments: [String]) throws -> ProcessResult {
    try Subject.found().run(over: CommandLineTests.log, arguments)
  }

  @Test func `a command gets what standard output would get`() throws {
    let home = try TemporaryDirectory()
    let result = try run(["--exec", "cat > '\(home.file("got"))'", "-F", "%U", "-bc", "--stats"])
    #expect(result.status == 0)
    #expect(result.output.isEmpty)
    #expect(result.errorText == "spillway: seen=2 written=2 filtered=0 dropped=0 lost=0\n")
    #expect(try readText(home.file("got")) == "/client\n/backend\n")
  }

  @Test func `the command of a log gets text`() throws {
    let home = try TemporaryDirectory()
    try writeFile(home.file("log"), CommandLineTests.log.bytes)
    let subject = try Subject.found()
    let shown = try ProcessRunner.run(subject.log(["-r", home.file("log")]))
    let fed = try ProcessRunner.run(
      subject.log(["-r", home.file("log"), "--exec", "cat > '\(home.file("got"))'"]))
    #expect(fed.status == 0, "\(fed.errorText)")
    #expect(!shown.output.isEmpty)
    #expect(try readFile(home.file("got")) == shown.output)
  }

  @Test func `a template's header comes first`() throws {
    let home = try TemporaryDirectory()
    let result = try run(["--exec", "cat > '\(home.file("got"))'", "--format", "w3c"])
    #expect(result.status == 0)
    #expect(try readText(home.file("got")).hasPrefix("#Software: Spillway\n#Version: 1.0\n"))
  }

  @Test func `a command that fails at its end is one line and status 4`() throws {
    let result = try run(["--exec", "cat > /dev/null; exit 3", "-F", "%U"])
    #expect(result.status == 4)
    #expect(result.errorText == "spillway: exec 'cat > /dev/null; exit 3': close: ended with status 3\n")
  }

  @Test func `a peer gets every line`() async throws {
    try await onOwnThread {
      let home = try TemporaryDirectory()
      let path = home.file("socket")
      let program =
        "$s = IO::Socket::UNIX->new(Local => shift, Listen => 1); $c = $s->accept; print while <$c>"
      let listener = try ChildProcess(Command("perl", ["-MIO::Socket::UNIX", "-e", program, path]))
      let result = try run(["--socket", "unix:\(path)", "-F", "%U", "-bc"])
      #expect(result.status == 0, "\(result.errorText)")
      try listener.wait(by: .after(.seconds(10)))
      try listener.output?.waitForEnd(by: .after(.seconds(10)))
      #expect(listener.output?.text == "/client\n/backend\n")
    }
  }

  /// Writes a request to a log.
  private func request(_ path: String, in ring: RingWriter) {
    ring.append(batch: SampleRecord.parse("2 c Begin req 1 rxreq\n2 c ReqURL \(path)\n2 c End"))
  }

  @Test func `a named pipe serves one reader after the other and holds up nothing`() async throws {
    try await onOwnThread {
      let instance = try SampleWorkdir()
      let ring = try instance.startWorker(eighthWords: 512)
      let home = try TemporaryDirectory()
      let fifo = home.file("fifo")
      try #require(mkfifo(fifo, 0o600) == 0)
      let child = try ChildProcess(
        try Self.ncsa(["-n", instance.path, "-w", fifo, "-F", "%U", "--drain", "1s"]))
      let messages = try #require(child.errorOutput)
      let ready = try poll(until: .after(.seconds(10))) { () throws(SupportError) in child.awaits(SIGUSR2) }
      try #require(ready)
      child.signal(SIGUSR2)
      try messages.line(containing: "seen=0", by: .after(.seconds(5)))
      // The program follows the log though no process reads the pipe, and isn't ended by a reader that goes.
      for path in ["/one", "/two"] {
        request(path, in: ring)
        let reader = try ProcessRunner.run("head", "-n", "1", fifo)
        #expect(reader.text == "\(path)\n")
      }
      request("/three", in: ring)
      let seen = try poll(until: .after(.seconds(10))) { () throws(SupportError) in
        child.signal(SIGUSR2)
        return messages.text.contains("seen=3")
      }
      #expect(seen)
      let end = try child.terminate(by: .after(.seconds(10)))
      try messages.waitForEnd(by: .after(.seconds(5)))
      #expect(end.status == 5, "\(end), \(messages.text)")
      #expect(
        messages.text.hasSuffix("spillway: seen=3 written=2 filtered=0 dropped=1 lost=0\n"),
        "\(messages.text)")
    }
  }

  @Test func `a daemon feeds a command and takes it along when it ends`() async throws {
    try await onOwnThread {
      let instance = try SampleWorkdir()
      let ring = try instance.startWorker(eighthWords: 512)
      let home = try TemporaryDirectory()
      let command = "echo $$ > '\(home.file("child"))'; cat >> '\(home.file("got"))'"
      let start = try ProcessRunner.run(
        try Self.ncsa(["-D", "-n", instance.path, "--exec", command, "-P", home.file("pid"), "-F", "%U"]))
      #expect(start.status == 0, "\(start.errorText)")
      func number(_ name: String) throws -> pid_t {
        _ = try poll(until: .after(.seconds(10))) { () throws(SupportError) in
          (try? readText(home.file(name)).isEmpty) == false
        }
        return try #require(pid_t(try readText(home.file(name)).filter { !$0.isWhitespace }))
      }
      let (daemon, child) = (try number("pid"), try number("child"))
      defer { kill(daemon, SIGKILL) }
      let arrived = try poll(until: .after(.seconds(20))) { () throws(SupportError) in
        request("/one", in: ring)
        return (try? readText(home.file("got")).hasPrefix("/one\n")) == true
      }
      #expect(arrived)
      kill(daemon, SIGTERM)
      let ended = try poll(until: .after(.seconds(10))) { () throws(SupportError) in
        kill(daemon, 0) != 0 && kill(child, 0) != 0
      }
      #expect(ended)
    }
  }
}
