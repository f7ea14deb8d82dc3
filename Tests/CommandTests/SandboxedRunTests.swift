import Glibc
import TestSupport
import Testing

/// A run with `--sandbox`; where the kernel has no Landlock, the run goes on all the same.
@Suite(.needs(.spillway))
struct SandboxedRunTests {
  private let home: TemporaryDirectory
  private var outside: String { home.file("outside") }

  init() throws {
    home = try TemporaryDirectory()
    for name in ["logs", "outside"] { mkdir(home.file(name), 0o755) }
  }

  /// Runs the program with `--sandbox` over a log, with verbose messages.
  private func run(_ arguments: [String]) throws -> ProcessResult {
    try Subject.found().run(
      over: StartTests.log, ["-F", "%U", "--sandbox"] + arguments, environment: ["SPILLWAY_VERBOSE": "1"])
  }

  /// Whether the kernel has applied a sandbox.
  private func isLimited(_ result: ProcessResult) throws -> Bool {
    let line = try #require(result.errorText.split(separator: "\n").first { $0.contains("sandbox: ") })
    return line.hasPrefix("spillway: sandbox: Landlock, interface ")
  }

  @Test func `files are rotated, linked and put away as ever`() async throws {
    try await onOwnThread {
      let logs = home.file("logs")
      let feed = try LiveFeed([
        "--sandbox", "-w", "\(logs)/%Y/access.log", "--rotate-size", "1K", "--keep", "1000",
        "--symlink", "\(logs)/current", "--spool-dir", home.file("spool"), "-P", home.file("logs/pid"),
        "--status-socket", home.file("run/status"),
      ]) { () throws(SupportError) in
        // The names of the output's files depend on the time, so the run's status tells whether it has
        // written something.
        let status = try ProcessRunner.run(
          Command(try Subject.found().path, ["status", home.file("run/status")]))
        return status.status != 0 || status.text.contains("seen=0 ") ? "" : "/attach"
      }
      feed.send(300)
      try feed.waitForAll { () throws(SupportError) in
        try ProcessRunner.run("sh", "-c", "cat \(logs)/*/access.log*").text
      }
      let (end, said) = try feed.finish()
      #expect(end.status == 0, "\(said)")
      #expect(said.filter { $0.contains("denied") }.isEmpty, "\(said)")
      let years = directoryEntries(logs).filter { $0.hasPrefix("2") }
      let year = try #require(years.first)
      #expect(directoryEntries("\(logs)/\(year)").count > 3)
      let text = try ProcessRunner.run("sh", "-c", "cat \(logs)/*/access.log*").text
      #expect(text.split(separator: "\n").filter { $0 != "/attach" }.count == 300)
      #expect(access("\(logs)/pid", F_OK) != 0)
      #expect(directoryEntries(home.file("run")).isEmpty)
    }
  }

  @Test func `commands that are started can read, and write beneath the outputs alone`() throws {
    try writeFile("\(outside)/readable", "text".utf8)
    let inside = home.file("logs/got")
    let script =
      "cat >'\(inside)'; cat '\(outside)/readable' >>'\(inside)'; (echo x >'\(outside)/written') 2>/dev/null; true"
    // The file's directory belongs to an output only if there is a file output; here the socket's directory
    // is allowed.
    let result = try run(["--exec", script, "--status-socket", home.file("logs/status")])
    #expect(result.status == 0, "\(result.errorText)")
    #expect(try readText(inside) == "/a\ntext")
    let isLimited = try isLimited(result)
    #expect((access("\(outside)/written", F_OK) != 0) == isLimited)
  }

  @Test func `a log that is made anew is found`() async throws {
    try await onOwnThread {
      let instance = try SampleWorkdir(path: home.file("instance"))
      let first = try instance.startWorker(eighthWords: 512)
      let log = home.file("logs/access.log")
      let child = try ChildProcess(
        try Subject.found().ncsa(["-n", instance.path, "-F", "%U", "-w", log, "--sandbox"]))
      let messages = try #require(child.errorOutput)
      let isAttached = try poll(until: .after(.seconds(30))) { () throws(SupportError) in
        first.append(batch: SampleRecord.parse("9 c Begin req 1 rxreq\n9 c ReqURL /first\n9 c End"))
        return (try? readText(log))?.contains("/first") == true
      }
      try #require(isAttached, "\(messages.text)")
      for vxid in [UInt64(2), 3] {
        instance.stopManager()
        try instance.startManager()
        let ring = try instance.startWorker(eighthWords: 512)
        try messages.line(containing: "Log reacquired", by: .after(.seconds(30)))
        ring.append(
          batch: SampleRecord.parse("\(vxid) c Begin req 1 rxreq\n\(vxid) c ReqURL /\(vxid)\n\(vxid) c End"))
        let isRead = try poll(until: .after(.seconds(30))) { () throws(SupportError) in
          try readText(log).contains("/\(vxid)\n")
        }
        #expect(isRead, "\(messages.text)")
      }
      #expect(try child.terminate(by: .after(.seconds(30))).status == 0)
    }
  }

  @Test func `it is for those who ask for it`() throws {
    let usual = try Subject.found().run(
      over: StartTests.log, ["-F", "%U"], environment: ["SPILLWAY_VERBOSE": "1"])
    #expect(usual.status == 0 && usual.errorText.isEmpty)
    let both = try Subject.found().run(over: StartTests.log, ["--sandbox", "--no-sandbox"])
    #expect(both.status == 1)
    #expect(both.errorText == "spillway: Only one of --sandbox and --no-sandbox may be used\n")
  }
}
