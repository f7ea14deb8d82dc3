import Glibc
import TestSupport
import Testing

/// The accounting line during a run counts in the same way as the last one.
@Suite(.needs(.spillway))
struct RunAccountingTests {
  private let instance: SampleWorkdir
  private let ring: RingWriter
  private let home: TemporaryDirectory

  init() throws {
    instance = try SampleWorkdir()
    ring = try instance.startWorker(eighthWords: 4096)
    home = try TemporaryDirectory()
  }

  private func start(_ arguments: [String]) throws -> ChildProcess {
    var command = try Subject.found().ncsa(["-n", instance.path, "-F", "%U"] + arguments)
    command.environment = ["SPILLWAY_COMPAT": nil]
    let child = try ChildProcess(command)
    // Records that are already in the log aren't read, so the program must have mapped the log before any are
    // written.
    let isReady = try poll(until: .after(.seconds(20))) { () throws(SupportError) in
      child.awaits(SIGUSR2)
        && (try? readText("/proc/\(child.identifier)/maps").contains(instance.path)) == true
    }
    try #require(isReady)
    child.signal(SIGUSR2)
    try #require(child.errorOutput).line(containing: "seen=", by: .after(.seconds(20)))
    return child
  }

  private func put(_ count: Int, from first: Int) {
    for vxid in stride(from: first, to: first + 2 * count, by: 2) {
      // A client request, which gives a line, and a backend request, which the grouping leaves out.
      ring.append(
        batch: SampleRecord.parse("\(vxid) c Begin req 1 rxreq\n\(vxid) c ReqURL /\(vxid)\n\(vxid) c End"))
      ring.append(
        batch: SampleRecord.parse(
          "\(vxid + 1) b Begin bereq 1 fetch\n\(vxid + 1) b BereqURL /\(vxid)\n\(vxid + 1) b End"))
    }
  }

  /// Requests accounting lines until one has these figures.
  private func awaits(_ figures: String, _ child: ChildProcess) throws -> Bool {
    let messages = try #require(child.errorOutput)
    return try poll(every: .milliseconds(50), until: .after(.seconds(20))) { () throws(SupportError) in
      child.signal(SIGUSR2)
      return messages.text.contains(figures)
    }
  }

  /// Expects every accounting line to add up.
  private func expectSums(_ text: String) {
    let lines = text.split(separator: "\n").filter { $0.contains("seen=") }
    #expect(!lines.isEmpty)
    for line in lines {
      var figures: [Substring: Int] = [:]
      for word in line.split(separator: " ") {
        let parts = word.split(separator: "=")
        if parts.count == 2 { figures[parts[0]] = Int(parts[1]) }
      }
      let sum = ["written", "filtered", "dropped", "kept", "queued", "unconfirmed"]
        .reduce(0) { $0 + (figures[Substring($1)] ?? 0) }
      #expect(sum == (figures["seen"] ?? 0) + (figures["inherited"] ?? 0), "\(line)")
    }
  }

  @Test func `what grouping has sorted out is counted as it happens`() async throws {
    try await onOwnThread {
      let child = try start(["-w", home.file("log")])
      put(20, from: 100)
      #expect(try awaits("seen=40 written=20 filtered=20 dropped=0 lost=0\n", child))
      let end = try child.terminate(by: .after(.seconds(10)))
      try child.errorOutput?.waitForEnd(by: .after(.seconds(5)))
      #expect(end.status == 0)
      let text = try #require(child.errorOutput?.text)
      #expect(text.hasSuffix("spillway: seen=40 written=20 filtered=20 dropped=0 lost=0\n"), "\(text)")
      expectSums(text)
    }
  }

  @Test func `what waits for a stuck consumer is queued, not written`() async throws {
    try await onOwnThread {
      let child = try start(["--exec", "exec sleep 1000", "--drain", "0s"])
      put(10, from: 100)
      #expect(try awaits("seen=20 written=0 filtered=10 dropped=0 lost=0 queued=10\n", child))
      _ = try child.terminate(by: .after(.seconds(10)))
      try child.errorOutput?.waitForEnd(by: .after(.seconds(5)))
      let text = try #require(child.errorOutput?.text)
      #expect(text.hasSuffix("spillway: seen=20 written=0 filtered=10 dropped=10 lost=0\n"), "\(text)")
      expectSums(text)
    }
  }

  @Test func `a line is written when its gzip member is in the file`() async throws {
    try await onOwnThread {
      let child = try start(["-w", home.file("log.gz"), "--gzip=6"])
      put(10, from: 100)
      #expect(try awaits("written=10 filtered=10", child))
      let text = try ProcessRunner.run("zcat", home.file("log.gz")).text
      #expect(text.split(separator: "\n").count == 10, "no sooner than they are there")
      _ = try child.terminate(by: .after(.seconds(10)))
      expectSums(try #require(child.errorOutput?.text))
    }
  }

  @Test func `a file that can't be written has nothing written`() async throws {
    try await onOwnThread {
      let child = try start(["-w", "/dev/full", "--drain", "0s"])
      put(10, from: 100)
      #expect(try awaits("seen=20 written=0 filtered=10 dropped=0 lost=0 queued=10\n", child))
      _ = try child.terminate(by: .after(.seconds(10)))
      expectSums(try #require(child.errorOutput?.text))
    }
  }

  @Test func `what a reset connection may have swallowed is unconfirmed`() async throws {
    try await onOwnThread {
      // Reads one line or more, and ends when told to.
      let program = """
        $| = 1; $SIG{USR1} = sub { $told = 1 }; $l = IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1') or die; print $l->sockport, "\\n";
        $c = $l->accept; <$c>; select(undef, undef, undef, 0.02) until $told; setsockopt($c, SOL_SOCKET, SO_LINGER, pack('ii', 1, 0)); close $c;
        $c = $l->accept; print while <$c>;
        """
      let peer = try ChildProcess(
        Command("perl", ["-MIO::Socket::INET", "-MSocket", "-e", program]))
      let port = try #require(try peer.output?.nextLine(by: .after(.seconds(20))))
      let child = try start(["--socket", "tcp:127.0.0.1:\(port)"])
      put(3, from: 100)
      #expect(try awaits("seen=6 written=3 filtered=3", child), "the peer's system has it")
      peer.signal(SIGUSR1)
      #expect(try awaits("seen=6 written=0 filtered=3 dropped=0 lost=0 unconfirmed=3\n", child))
      put(1, from: 200)
      #expect(try awaits("seen=8 written=1 filtered=4 dropped=0 lost=0 unconfirmed=3\n", child))
      let end = try child.terminate(by: .after(.seconds(10)))
      #expect(end.status == 5, "it may be lost")
      try child.errorOutput?.waitForEnd(by: .after(.seconds(5)))
      expectSums(try #require(child.errorOutput?.text))
    }
  }
}
