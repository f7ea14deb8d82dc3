import Glibc
import TestSupport
import Testing

/// Little memory, few addresses, few descriptors.
@Suite(.needs(.spillway))
struct LimitTests {
  private static func run(_ limit: String, _ arguments: [String]) throws -> ProcessResult {
    let home = try TemporaryDirectory()
    try writeFile(home.file("log.vsl"), CommandLineTests.log.bytes)
    var command = Command(
      "bash",
      [
        "-c", "\(limit) && exec \"$0\" \"$@\"", try Subject.found().path, "ncsa", "-r", home.file("log.vsl"),
        "-F", "%U",
      ]
        + arguments)
    command.environment = ["SPILLWAY_COMPAT": nil]
    return try ProcessRunner.run(command)
  }

  /// Closes descriptors that the test process may have left open, as they count, and sets the limit.
  private static let fewDescriptors =
    "for d in /proc/self/fd/*; do d=${d##*/}; [ $d -gt 2 ] && eval \"exec $d<&-\"; done; ulimit -n 12"

  /// 64 MiB beside the spool.
  @Test(arguments: [("4M", 68), ("16M", 80), ("64M", 128)])
  func `so many addresses are enough`(spool: String, mebibytes: Int) throws {
    let result = try Self.run("ulimit -v \(mebibytes << 10)", ["--spool-memory", spool, "-bc"])
    #expect(result.text == "/client\n/backend\n", "\(result.errorText)")
    #expect(result.status == 0)
  }

  @Test(arguments: [100, 200, 1000])
  func `the spool is as large as the addresses allow`(mebibytes: Int) throws {
    let result = try Self.run("ulimit -v \(mebibytes << 10)", ["-bc"])
    #expect(result.text == "/client\n/backend\n", "\(result.errorText)")
  }

  @Test func `12 descriptors are enough for a file that is converted`() throws {
    let home = try TemporaryDirectory()
    let result = try Self.run(
      Self.fewDescriptors,
      [
        "-bc", "-w", home.file("log"), "--rotate-size", "1", "--gzip", "--post-rotate", "true", "--keep", "9",
        "--stats",
      ])
    #expect(result.errorText == "spillway: seen=2 written=2 filtered=0 dropped=0 lost=0\n")
    #expect(result.status == 0)
  }

  @Test func `12 descriptors are enough for a live log, a spool on disk, rotation and commands`() async throws
  {
    try await onOwnThread {
      let home = try TemporaryDirectory()
      let output = OutputDirectory(path: home.file("out"), isCompressed: false)
      mkdir(output.path, 0o755)
      let feed = try LiveFeed(
        [
          "-w", home.file("out/access.log"), "--rotate-size", "2K", "--post-rotate", "true",
          "--spool-dir", home.file("spool"), "-P", home.file("pid"),
        ],
        wrap: { command in
          var wrapped = command
          wrapped.executable = "bash"
          wrapped.arguments =
            ["-c", Self.fewDescriptors + " && exec \"$0\" \"$@\"", command.executable] + command.arguments
          return wrapped
        }
      ) { () throws(SupportError) in try output.text() }
      for _ in 0..<20 { feed.send(5) }
      try feed.waitForAll { () throws(SupportError) in try output.text() }
      let (end, said) = try feed.finish()
      #expect(end.status == 0)
      #expect(said.count == 1, "\(said)")
      #expect(LiveFeed.lines(try output.text()) == feed.requested)
    }
  }

  @Test func `more memory than there is for the spool is mentioned`() throws {
    let result = try Self.run("true", ["-bc", "--spool-memory", "1T"])
    #expect(result.errorText.contains("--spool-memory"))
    #expect(result.text == "/client\n/backend\n")
  }
}
