import Glibc
import TestSupport
import Testing

/// Receivers of `--socket`, some of them real programs.
@Suite(.needs(.spillway))
struct ReceiverCommandTests {
  private static let lines = """
    2 c Begin req 1 rxreq
    2 c ReqStart 192.0.2.7 51234 a0
    2 c ReqURL /größe
    2 c End
    4 c Begin req 3 rxreq
    4 c ReqStart 198.51.100.9 40000 a0
    4 c ReqURL /second
    4 c End
    """

  private func run(_ arguments: [String]) throws -> ProcessResult {
    try Subject.found().run(over: LogFileBuilder(lines: Self.lines), arguments)
  }

  /// Lines that begin with digits, which many receivers take for a length.
  @Test(.needs(.program("rsyslogd")))
  func `rsyslog gets every line when they are counted`() async throws {
    try await onOwnThread {
      let home = try TemporaryDirectory()
      mkdir(home.file("work"), 0o755)
      let port = Int.random(in: 31_000..<32_000)
      let configuration = """
        global(workDirectory="\(home.file("work"))")
        module(load="imtcp")
        input(type="imtcp" port="\(port)" address="127.0.0.1" ruleset="r")
        template(name="raw" type="string" string="%rawmsg%\\n")
        ruleset(name="r") { action(type="omfile" file="\(home.file("got"))" template="raw") }

        """
      try writeFile(home.file("conf"), Array(configuration.utf8))
      let daemon = try ChildProcess(
        Command(
          try #require(findExecutable("rsyslogd")), ["-n", "-i", home.file("pid"), "-f", home.file("conf")]))
      // The connection is tried again until the daemon listens.
      let result = try run([
        "-F", "%h %U", "--socket", "tcp:127.0.0.1:\(port),framing=octet-count", "--stats",
      ])
      #expect(result.status == 0, "\(result.errorText)")
      #expect(result.errorText.contains("written=2"))
      let wanted = "192.0.2.7 /gr\\xc3\\xb6\\xc3\\x9fe\n198.51.100.9 /second\n"
      let arrived = try poll(until: .after(.seconds(20))) { () throws(SupportError) in
        (try? readText(home.file("got"))) == wanted
      }
      #expect(arrived, "\((try? readText(home.file("got"))) ?? "nothing")")
      _ = try daemon.terminate(by: .after(.seconds(10)))
    }
  }

  @Test func `a socket for messages, such as the system's log, gets a line each`() async throws {
    try await onOwnThread {
      let home = try TemporaryDirectory()
      let program = """
        $| = 1; $s = IO::Socket::UNIX->new(Type => SOCK_DGRAM, Local => shift) or die; print "up\\n";
        for (1, 2) { $s->recv($m, 65536); print "<$m>\\n"; }
        """
      let receiver = try ChildProcess(
        Command("perl", ["-MIO::Socket::UNIX", "-MSocket", "-e", program, home.file("log")]))
      try receiver.output?.line(containing: "up", by: .after(.seconds(20)))
      let result = try run(["-F", "%U", "--socket", "unix:\(home.file("log"))", "--stats"])
      #expect(result.status == 0, "\(result.errorText)")
      try receiver.output?.waitForEnd(by: .after(.seconds(10)))
      #expect(receiver.output?.text == "up\n</gr\\xc3\\xb6\\xc3\\x9fe>\n</second>\n")
    }
  }

  @Test func `what is no socket ends a run with status 4, a live one too`() throws {
    let home = try TemporaryDirectory()
    mkdir(home.file("thing"), 0o755)
    let address = "unix:\(home.file("thing"))"
    let words = "spillway: \(address): connect: it is a directory, not a socket\n"
    let captured = try run(["--socket", address])
    #expect(captured.status == 4)
    #expect(captured.errorText == words)
    let instance = try SampleWorkdir()
    _ = try instance.startWorker(eighthWords: 512)
    var command = try Subject.found().ncsa(["-n", instance.path, "--socket", address])
    command.environment = ["SPILLWAY_COMPAT": nil]
    let live = try ProcessRunner.run(command)
    #expect(live.status == 4)
    #expect(live.errorText == words + "spillway: seen=0 written=0 filtered=0 dropped=0 lost=0\n")
  }

  private static let mistakes: [(String, String)] = [
    ("tcp:localhost:514,framing=lines", "has a framing that is none of newline, octet-count, null"),
    ("tcp:local host:514", "has something in the host that no name or address has"),
    ("unix:/" + String(repeating: "x", count: 200), "is too long"),
  ]

  @Test(arguments: mistakes)
  func `an address that can't be one is refused`(address: String, problem: String) throws {
    let result = try run(["--socket", address])
    #expect(result.status == 1)
    #expect(result.errorText == "spillway: --socket: \"\(address)\" \(problem)\n" || problem == "is too long")
    #expect(result.errorText.contains(problem), "\(result.errorText)")
  }
}
