import Glibc
import TestSupport
import Testing

/// Running in the background, process number files, names and directories.
@Suite(.needs(.spillway))
struct LifecycleTests {
  private static func command(_ arguments: [String]) throws -> TestSupport.Command {
    var command = try Subject.found().ncsa(arguments)
    command.environment = ["SPILLWAY_COMPAT": nil, "VARNISH_DEFAULT_N": nil, "VINYL_DEFAULT_N": nil]
    return command
  }

  @Test func `a daemon has its number in a file that it holds and removes`() async throws {
    try await onOwnThread {
      let instance = try SampleWorkdir()
      _ = try instance.startWorker(eighthWords: 512)
      let home = try TemporaryDirectory()
      let arguments = [
        "-D", "-n", instance.path, "-w", home.file("log"), "-P", home.file("pid"), "-F", "%U",
      ]
      let start = try ProcessRunner.run(try Self.command(arguments))
      #expect(start.status == 0, "\(start.errorText)")
      // The file is written by the daemon, after the process that started it has ended.
      let written = try poll(until: .after(.seconds(10))) { () throws(SupportError) in
        (try? readText(home.file("pid")).isEmpty) == false
      }
      try #require(written)
      let text = try readText(home.file("pid"))
      let number = try #require(pid_t(text), "decimal, without a newline")
      defer { kill(number, SIGKILL) }
      #expect(kill(number, 0) == 0)

      let second = try ProcessRunner.run(
        try Self.command([
          "-n", instance.path, "-P", home.file("pid"), "-w", home.file("other"),
        ]))
      #expect(second.status == 1)
      #expect(
        second.errorText == "spillway: \(home.file("pid")): Resource temporarily unavailable\n")
      #expect(try readText(home.file("pid")) == text)

      kill(number, SIGTERM)
      let removed = try poll(until: .after(.seconds(10))) { () throws(SupportError) in
        access(home.file("pid"), F_OK) != 0
      }
      #expect(removed)
    }
  }

  @Test func `a process number file that can't be made ends the run`() throws {
    let result = try Subject.found().run(
      over: CommandLineTests.log, ["-P", "/nonexistent/pid", "-F%U"])
    #expect(result.status == 1)
    #expect(
      result.errorText == "spillway: /nonexistent/pid: No such file or directory; there is no /nonexistent\n")
  }

  @Test func `called varnishncsa it is that command, and quiet`() async throws {
    try await onOwnThread {
      let instance = try SampleWorkdir()
      let ring = try instance.startWorker(eighthWords: 512)
      ring.append(
        batch: SampleRecord.parse("2 c Begin req 1 rxreq\n2 c ReqURL /a\n2 c End"))
      let arguments = ["-d", "-n", instance.path, "-F", "%U"]
      let plain = try ProcessRunner.run(try Self.command(arguments))
      #expect(plain.text == "/a\n")
      #expect(plain.errorText == "spillway: seen=1 written=1 filtered=0 dropped=0 lost=0\n")
      var named = Command(try Subject.found().path, arguments, name: "/usr/bin/varnishncsa")
      named.environment = ["SPILLWAY_COMPAT": nil]
      let quiet = try ProcessRunner.run(named)
      #expect(quiet.text == "/a\n")
      #expect(quiet.errorText.isEmpty)
      #expect(quiet.status == 0)
    }
  }

  @Test func `called varnishncsa, mistakes go by that name`() throws {
    let result = try ProcessRunner.run(
      Command(try Subject.found().path, ["-g", "raw"], name: "varnishncsa"))
    #expect(result.errorText == "varnishncsa: Invalid grouping mode: raw\n")
    #expect(result.status == 1)
  }

  @Test(arguments: [SIGHUP, SIGINT, SIGTERM])
  func `called varnishncsa, a signal ends it with status 0`(signal: Int32) async throws {
    try await onOwnThread {
      let instance = try SampleWorkdir()
      _ = try instance.startWorker(eighthWords: 512)
      let child = try ChildProcess(
        Command(try Subject.found().path, ["-n", instance.path], name: "varnishncsa"))
      let ready = try poll(until: .after(.seconds(10))) { () throws(SupportError) in
        child.awaits(signal)
      }
      try #require(ready)
      child.signal(signal)
      let end = try child.wait(by: .after(.seconds(10)))
      #expect(end.status == 0)
      #expect(child.errorOutput?.text == "")
    }
  }

  @Test func `a directory that is not there is named`() throws {
    let result = try ProcessRunner.run(
      try Self.command(["-n", "/nonexistent/instance", "-t", "0"]))
    #expect(result.status == 1)
    #expect(
      result.errorText.hasPrefix("spillway: VSM: Could not get hold of varnishd, is it running?"))
    #expect(result.errorText.contains("/nonexistent/instance: No such file or directory"))
    #expect(result.errorText.split(separator: "\n").count == 1)
  }

  @Test func `a directory without a server is named`() throws {
    let home = try TemporaryDirectory()
    let result = try ProcessRunner.run(try Self.command(["-n", home.path, "-t", "0"]))
    #expect(result.status == 1)
    #expect(result.errorText.contains("\(home.path): no server has published a log there"))
  }

  /// Root may read anything; if root runs the tests, the program runs as another user.
  @Test(.needs(.unprivilegedUser))
  func `what may not be read is named with its owner, its mode and who asks`() throws {
    let home = try TemporaryDirectory()
    let instance = try SampleWorkdir(path: home.file("instance"))
    _ = try instance.startWorker(eighthWords: 512)
    chmod(home.path, 0o755)
    chmod(instance.path, 0o300)
    defer { chmod(instance.path, 0o755) }
    let program = home.file("spillway")
    let copied = try ProcessRunner.run("cp", try Subject.found().path, program)
    try #require(copied.status == 0)
    let arguments = ["ncsa", "-n", instance.path, "-t", "0"]
    let asker = geteuid() == 0 ? ["setpriv", "--reuid=65534", "--clear-groups"] : ["env"]
    let result = try ProcessRunner.run(Command(asker[0], asker.dropFirst() + [program] + arguments))
    #expect(result.status == 1)
    #expect(result.errorText.contains("\(instance.path): Permission denied"), "\(result.errorText)")
    #expect(result.errorText.contains("with mode 0300"), "\(result.errorText)")
    let name = String(cString: try #require(getpwuid(geteuid())).pointee.pw_name)
    #expect(result.errorText.contains("\(instance.path) belongs to \(name):"))
    let asking = String(
      cString: try #require(getpwuid(geteuid() == 0 ? 65534 : geteuid())).pointee.pw_name)
    #expect(result.errorText.contains("and \(asking):"))
    #expect(result.errorText.contains(" is asking"))
  }
}
