import Glibc
import TestSupport
import Testing

/// Waiting for a server and its log: how long the program waits, and its messages meanwhile.
@Suite(.needs(.spillway))
struct AttachTests {
  private static func command(_ arguments: [String]) throws -> TestSupport.Command {
    var command = try Subject.found().ncsa(arguments)
    command.environment = ["SPILLWAY_COMPAT": nil, "VARNISH_DEFAULT_N": nil, "VINYL_DEFAULT_N": nil]
    return command
  }

  /// The identifier of a process that has ended.
  private func deadProcess() throws -> pid_t {
    let ended = try ProcessRunner.run("sh", "-c", "echo $$")
    return try #require(pid_t(ended.text.filter { !$0.isWhitespace }))
  }

  /// A directory as left by a server that no longer runs.
  private func deadInstance(_ home: TemporaryDirectory, workerIndex: String? = nil) throws -> String {
    let path = home.file("dead")
    for directory in [path, path + "/_.vsm_mgt", path + "/_.vsm_child"] { mkdir(directory, 0o755) }
    try writeFile(path + "/_.vsm_mgt/_.index", Array("# \(try deadProcess()) 1700000000\n".utf8))
    if let workerIndex { try writeFile(path + "/_.vsm_child/_.index", Array(workerIndex.utf8)) }
    return path
  }

  @Test func `a wait for ever says what it is for, and again when that changes`() async throws {
    try await onOwnThread {
      let home = try TemporaryDirectory()
      let path = home.file("instance")
      let child = try ChildProcess(try Self.command(["-n", path, "-t", "off", "-F", "%U"]))
      let messages = try #require(child.errorOutput)
      let limit = Deadline.after(.seconds(20))
      #expect(
        try messages.nextLine(by: limit)
          == "spillway: waiting for varnishd: \(path): No such file or directory")
      try #require(mkdir(path, 0o755) == 0)
      #expect(
        try messages.nextLine(by: limit)
          == "spillway: waiting for varnishd: \(path): no server has published a log there")
      rmdir(path)
      #expect(
        try messages.nextLine(by: limit)
          == "spillway: waiting for varnishd: \(path): No such file or directory")
      let instance = try SampleWorkdir(path: path)
      // The server is there, but its worker's log is still missing.
      #expect(
        try messages.nextLine(by: limit)?.hasPrefix("spillway: Failed to acquire log: No VSL chunk found")
          == true)
      let ring = try instance.startWorker(eighthWords: 512)
      try messages.line(containing: "Log reacquired", by: limit)
      ring.append(batch: SampleRecord.parse("2 c Begin req 1 rxreq\n2 c ReqURL /a\n2 c End"))
      try child.output?.line(containing: "/a", by: limit)
      _ = try child.terminate(by: .after(.seconds(10)))
    }
  }

  @Test func `told to end, it says why it had not begun`() async throws {
    try await onOwnThread {
      let child = try ChildProcess(try Self.command(["-n", "/nonexistent/instance", "-t", "off"]))
      let messages = try #require(child.errorOutput)
      try messages.line(containing: "waiting for varnishd", by: .after(.seconds(20)))
      let end = try child.terminate(by: .after(.seconds(10)))
      try messages.waitForEnd(by: .after(.seconds(5)))
      #expect(end.status == 1)
      let said = messages.text.split(separator: "\n").map(String.init)
      #expect(
        said.last
          == "spillway: VSM: Attach interrupted (/nonexistent/instance: No such file or directory; "
          + "there is no /nonexistent)")
      #expect(said.count == 2)
    }
  }

  @Test func `a manager without a worker is waited for as long as -t says`() throws {
    let instance = try SampleWorkdir()
    let result = try ProcessRunner.run(try Self.command(["-n", instance.path, "-t", "1"]))
    #expect(result.status == 1)
    #expect(result.errorText.contains("\(instance.path) (there is no \(instance.path)/_.vsm_child/_.index)"))
    #expect(result.errorText.contains("no log within the time that -t allows"), "\(result.errorText)")
    let atOnce = try ProcessRunner.run(try Self.command(["-n", instance.path, "-t", "0"]))
    #expect(atOnce.status == 1)
    #expect(atOnce.errorText.contains("; not waited for any longer"), "\(atOnce.errorText)")
  }

  @Test func `of a dead instance's log, what isn't there is not waited for`() throws {
    let home = try TemporaryDirectory()
    let path = try deadInstance(home)
    let none = try ProcessRunner.run(try Self.command(["-n", path, "-d", "-t", "off"]))
    #expect(none.status == 1)
    #expect(none.errorText.contains("there is no \(path)/_.vsm_child/_.index"), "\(none.errorText)")
    #expect(none.errorText.contains("doesn't run, so none will come"), "\(none.errorText)")
    // An index that lists no log.
    _ = try deadInstance(home, workerIndex: "# 1 1700000000\n+ _.Stat.1 0 4096 Stat MAIN\n")
    let other = try ProcessRunner.run(try Self.command(["-n", path, "-d", "-t", "off"]))
    #expect(other.status == 1)
    #expect(other.errorText.contains("of process 1, lists no log"), "\(other.errorText)")
    // A log that is listed and was not copied.
    _ = try deadInstance(home, workerIndex: "# 1 1700000000\n+ _.Log.1 0 65536 Log Log\n")
    let lost = try ProcessRunner.run(try Self.command(["-n", path, "-d", "-t", "off"]))
    #expect(lost.status == 1)
    #expect(lost.errorText.contains("doesn't run, so none will come"), "\(lost.errorText)")
  }

  @Test func `a copy whose log is there is read`() throws {
    let instance = try SampleWorkdir()
    let ring = try instance.startWorker(eighthWords: 512)
    ring.append(batch: SampleRecord.parse("2 c Begin req 1 rxreq\n2 c ReqURL /a\n2 c End"))
    let index = instance.path + "/_.vsm_mgt/_.index"
    let lines = try readText(index).split(separator: "\n").dropFirst()
    let header = "# \(try deadProcess()) 1700000000"
    try writeFile(index, Array(([header] + lines.map(String.init)).joined(separator: "\n").utf8) + [0x0A])
    let result = try ProcessRunner.run(
      try Self.command(["-n", instance.path, "-d", "-t", "off", "-F", "%U"]))
    #expect(result.status == 0, "\(result.errorText)")
    #expect(result.text == "/a\n")
  }
}
