import Glibc
import TestSupport
import Testing

/// State that the program inherits: descriptors, signal actions, and the role of a container's first process.
@Suite(.needs(.spillway))
struct InheritedStateTests {
  /// The program, started by a shell that first makes some arrangements.
  private static func command(_ script: String, _ arguments: [String]) throws -> Command {
    var command = Command("sh", ["-c", script, try Subject.found().path, "ncsa"] + arguments)
    command.environment = ["SPILLWAY_COMPAT": nil, "VARNISH_DEFAULT_N": nil, "VINYL_DEFAULT_N": nil]
    return command
  }

  @Test(arguments: ["<&-", ">&- <&-", "2>&-", "<&- 2>&-", "<&- >&- 2>&-"])
  func `a daemon obeys signals whatever descriptors were closed`(closed: String) async throws {
    try await onOwnThread {
      let instance = try SampleWorkdir()
      let ring = try instance.startWorker(eighthWords: 512)
      let home = try TemporaryDirectory()
      let start = try ProcessRunner.run(
        try Self.command(
          #"exec "$0" "$@" "# + closed,
          ["-D", "-n", instance.path, "-a", "-w", home.file("log"), "-P", home.file("pid"), "-F", "%U"]))
      #expect(start.status == 0, "\(start.errorText)")
      let number = try #require(pid_t(try readText(home.file("pid"))))
      defer { kill(number, SIGKILL) }
      ring.append(batch: SampleRecord.parse("2 c Begin req 1 rxreq\n2 c ReqURL /a\n2 c End"))
      let isWritten = try poll(until: .after(.seconds(20))) { () throws(SupportError) in
        try readText(home.file("log")) == "/a\n"
      }
      #expect(isWritten)
      rename(home.file("log"), home.file("log.1"))
      kill(number, SIGHUP)
      let isReopened = try poll(until: .after(.seconds(20))) { () throws(SupportError) in
        access(home.file("log"), F_OK) == 0
      }
      #expect(isReopened)
      kill(number, SIGTERM)
      let isGone = try poll(until: .after(.seconds(20))) { () throws(SupportError) in
        access(home.file("pid"), F_OK) != 0
      }
      #expect(isGone)
    }
  }

  /// A file with a log.
  private static func log(_ home: TemporaryDirectory) throws -> String {
    try writeFile(home.file("log.vsl"), CommandLineTests.log.bytes)
    return home.file("log.vsl")
  }

  @Test func `lines for a closed standard output are an error, not gone`() throws {
    let home = try TemporaryDirectory()
    let result = try ProcessRunner.run(
      try Self.command(#"exec "$0" "$@" >&-"#, ["-r", try Self.log(home), "-F", "%U"]))
    #expect(result.status == 4)
    #expect(result.errorText.contains("standard output: write: Bad file descriptor"))
  }

  @Test func `a file that gets the number of a closed descriptor isn't written to`() throws {
    let home = try TemporaryDirectory()
    // With standard error closed, messages must not go to the first file that is opened.
    let result = try ProcessRunner.run(
      try Self.command(
        #"exec "$0" "$@" 2>&-"#,
        ["-r", try Self.log(home), "-F", "%U", "-w", home.file("log"), "--stats"]))
    #expect(result.status == 0)
    #expect(!(try readText(home.file("log"))).contains("seen="))
  }

  @Test(arguments: [SIGTERM, SIGINT])
  func `signals that were ignored or blocked end it all the same`(signal: Int32) async throws {
    try await onOwnThread {
      let instance = try SampleWorkdir()
      _ = try instance.startWorker(eighthWords: 512)
      let child = try ChildProcess(
        try Self.command(#"trap '' TERM INT CHLD USR1 USR2; exec "$0" "$@""#, ["-n", instance.path]))
      let isReady = try poll(until: .after(.seconds(20))) { () throws(SupportError) in
        // The signals are ignored from the beginning; they are blocked once the program reads them as
        // messages.
        (try? readText("/proc/\(child.identifier)/status"))?.contains("SigBlk:\t0000000000000000") == false
      }
      try #require(isReady)
      child.signal(signal)
      #expect(try child.wait(by: .after(.seconds(20))).status == 0)
    }
  }

  @Test func `a child's end is known though children's ends were ignored`() throws {
    let home = try TemporaryDirectory()
    let result = try ProcessRunner.run(
      try Self.command(
        #"trap '' CHLD; exec "$0" "$@""#, ["-r", try Self.log(home), "--exec", "cat > /dev/null; exit 3"]))
    #expect(result.status == 4)
    #expect(result.errorText.contains("ended with status 3"))
  }

  @Test func `under nohup a hang-up doesn't end what would end by one`() async throws {
    try await onOwnThread {
      let instance = try SampleWorkdir()
      let ring = try instance.startWorker(eighthWords: 512)
      let child = try ChildProcess(
        Command(
          "bash",
          [
            "-c", #"trap '' HUP; exec -a varnishncsa "$0" "$@""#, try Subject.found().path,
            "-n", instance.path, "-F", "%U",
          ]))
      let isReady = try poll(until: .after(.seconds(20))) { () throws(SupportError) in
        child.awaits(SIGUSR2)
      }
      try #require(isReady)
      child.signal(SIGHUP)
      // A request after the signal is delivered only if the program goes on.
      var vxid: UInt64 = 100
      let goesOn = try poll(until: .after(.seconds(20))) { () throws(SupportError) in
        vxid += 1
        ring.append(
          batch: SampleRecord.parse("\(vxid) c Begin req 1 rxreq\n\(vxid) c ReqURL /a\n\(vxid) c End"))
        return child.output?.text.contains("/a\n/a\n") == true
      }
      #expect(goesOn)
      #expect(child.isRunning)
      #expect(try child.terminate(by: .after(.seconds(20))).status == 0)
    }
  }

  /// Whether `unshare` may make a container-like first process.
  private static let canUnshare: Bool = {
    let command = Command("unshare", ["-pf", "--mount-proc", "--kill-child", "true"])
    return (try? ProcessRunner.run(command))?.status == 0
  }()

  @Test(.enabled(if: canUnshare, "needs the right to make namespaces"))
  func `a container's first process reaps what loses its parent, and ends as it is told`() async throws {
    try await onOwnThread {
      let home = try TemporaryDirectory()
      let instance = try SampleWorkdir(path: home.file("instance"))
      let ring = try instance.startWorker(eighthWords: 512)
      let program = try Subject.found().path
      // Each finished file leaves a grandchild that ends at once.
      let child = try ChildProcess(
        Command(
          "unshare",
          [
            "-pf", "--mount-proc", "--kill-child", program, "ncsa", "-n", instance.path, "-F", "%U",
            "-w", home.file("log"), "--rotate-size", "1", "--post-rotate",
            "(sleep 0.01 &) ; ps -e -o stat= | grep -c Z >> \(home.file("zombies"))",
          ]))
      var vxid: UInt64 = 100
      let isRotated = try poll(until: .after(.seconds(60))) { () throws(SupportError) in
        vxid += 1
        ring.append(
          batch: SampleRecord.parse("\(vxid) c Begin req 1 rxreq\n\(vxid) c ReqURL /a\n\(vxid) c End"))
        return (try? readText(home.file("zombies")).split(separator: "\n").count) ?? 0 >= 30
      }
      #expect(isRotated, "\(child.errorOutput?.text ?? "")")
      // A child may just have ended when they were counted, but zombies don't pile up.
      let counts = try readText(home.file("zombies")).split(separator: "\n").compactMap { Int($0) }
      #expect(counts.allSatisfy { $0 <= 3 }, "\(counts)")
      let first = try ProcessRunner.run(Command("pgrep", ["-P", "\(child.identifier)"]))
      kill(try #require(pid_t(first.text.split(separator: "\n").first ?? "")), SIGTERM)
      #expect(try child.wait(by: .after(.seconds(20))).status == 0)
      #expect(child.errorOutput?.text.contains("seen=") == true)
    }
  }

  @Test func `a daemon that can't begin says so before its starter ends, with its status`() throws {
    let home = try TemporaryDirectory()
    let result = try ProcessRunner.run(
      try Self.command(
        #"exec "$0" "$@""#,
        ["-D", "-n", "/nonexistent/instance", "-t", "0", "-w", home.file("log"), "-P", home.file("pid")]))
    #expect(result.status == 1)
    #expect(result.errorText.contains("/nonexistent/instance"))
    #expect(access(home.file("pid"), F_OK) != 0)
  }

  @Test func `the number is in the file when the daemon's starter has ended`() async throws {
    try await onOwnThread {
      let instance = try SampleWorkdir()
      _ = try instance.startWorker(eighthWords: 512)
      let home = try TemporaryDirectory()
      for turn in 0..<10 {
        let pidFile = home.file("pid\(turn)")
        let start = try ProcessRunner.run(
          try Self.command(
            #"exec "$0" "$@""#, ["-D", "-n", instance.path, "-w", home.file("log\(turn)"), "-P", pidFile]))
        #expect(start.status == 0)
        let number = try #require(pid_t(try readText(pidFile)))
        #expect(kill(number, SIGTERM) == 0)
      }
    }
  }
}
