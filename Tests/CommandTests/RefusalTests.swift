import Glibc
import TestSupport
import Testing

/// The messages when a user lacks a permission: they name the path, its owner, and the user of the program.
@Suite(.needs(.spillway, .unprivilegedUser))
struct RefusalTests {
  private let home: TemporaryDirectory
  private let program: String
  private let log: String
  /// Directories: only root may write to `open`, and only root may enter `shut`.
  private let open: String, shut: String

  init() throws {
    home = try TemporaryDirectory()
    chmod(home.path, 0o755)
    (program, log) = (home.file("spillway"), home.file("log"))
    (open, shut) = (home.file("open"), home.file("shut"))
    let copied = try ProcessRunner.run("cp", try Subject.found().path, program)
    try #require(copied.status == 0)
    try writeFile(log, CommandLineTests.log.bytes)
    chmod(log, 0o644)
    for path in [open, shut] { try #require(mkdir(path, 0o755) == 0) }
    for name in ["file", "query", "t.format"] { try writeFile(shut + "/" + name, Array("x\n".utf8)) }
    chmod(shut, 0o000)
    chmod(open, 0o555)
    symlink("shut", home.file("link"))
  }

  /// Runs the program as the user who runs the tests, or, if that is root, as a user who owns none of these
  /// files.
  private func run(_ arguments: [String]) throws -> ProcessResult {
    let isRoot = geteuid() == 0
    let words = isRoot ? ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] : ["env"]
    var command = Command(words[0], words.dropFirst() + [program] + arguments)
    command.environment = ["SPILLWAY_COMPAT": nil]
    defer { chmod(shut, 0o755) }
    return try ProcessRunner.run(command)
  }

  private func user(_ number: uid_t) throws -> String {
    String(cString: try #require(getpwuid(number)).pointee.pw_name)
  }

  private func expect(_ result: ProcessResult, names path: String, mode: String, status: Int32 = 1) throws {
    let asker = try user(geteuid() == 0 ? 65534 : geteuid())
    let text = result.errorText
    #expect(result.status == status, "\(text)")
    #expect(text.contains("Permission denied"), "\(text)")
    #expect(text.contains("; \(path) belongs to \(try user(geteuid())):"), "\(text)")
    #expect(text.contains(" with mode \(mode), and \(asker):"), "\(text)")
    #expect(text.split(separator: "\n").count { $0.contains("denied") } == 1, "said once: \(text)")
  }

  @Test func `a log in a directory that can't be entered`() throws {
    try expect(run(["ncsa", "-r", shut + "/file"]), names: shut, mode: "0000")
  }

  @Test func `the same through a symbolic link`() throws {
    try expect(run(["ncsa", "-r", home.file("link/file")]), names: shut, mode: "0000")
  }

  @Test func `an instance whose manager's directory can't be entered`() throws {
    // With the permissions that a jailed varnishd sets.
    let instance = try SampleWorkdir(path: home.file("instance"))
    _ = try instance.startWorker(eighthWords: 512)
    let manager = instance.path + "/_.vsm_mgt"
    chmod(manager, geteuid() == 0 ? 0o750 : 0o000)
    defer { chmod(manager, 0o755) }
    try expect(
      run(["ncsa", "-n", instance.path, "-t", "0"]), names: manager, mode: geteuid() == 0 ? "0750" : "0000")
  }

  @Test func `a worker's index that can't be read`() throws {
    let instance = try SampleWorkdir(path: home.file("instance"))
    _ = try instance.startWorker(eighthWords: 512)
    let index = instance.path + "/_.vsm_child/_.index"
    chmod(index, 0o000)
    try expect(run(["log", "-n", instance.path, "-t", "0"]), names: index, mode: "0000")
  }

  @Test func `an output`() throws {
    try expect(run(["ncsa", "-r", log, "-w", open + "/new"]), names: open, mode: "0555")
  }

  @Test func `a process number file`() throws {
    try expect(
      run(["ncsa", "-r", log, "-P", open + "/pid", "-F", "%U"]), names: open, mode: "0555")
  }

  @Test func `a spool's directory`() throws {
    try expect(
      run(["ncsa", "-r", log, "--spool-dir", open + "/spool", "-F", "%U"]), names: open, mode: "0555")
  }

  @Test func `a file of queries`() throws {
    try expect(run(["ncsa", "-r", log, "-Q", shut + "/query"]), names: shut, mode: "0000")
  }

  @Test func `a template`() throws {
    try expect(run(["ncsa", "-r", log, "--format", shut + "/t.format"]), names: shut, mode: "0000")
  }

  @Test func `a socket`() async throws {
    try await onOwnThread {
      let path = home.file("socket")
      let program = "$s = IO::Socket::UNIX->new(Local => shift, Listen => 1); print \"up\\n\"; $s->accept"
      let listener = try ChildProcess(
        Command("perl", ["-MIO::Socket::UNIX", "-e", "$| = 1; " + program, path]))
      _ = try listener.output?.line(containing: "up", by: .after(.seconds(10)))
      chmod(path, geteuid() == 0 ? 0o600 : 0o000)
      let isRoot = geteuid() == 0
      let words = isRoot ? ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] : ["env"]
      let arguments = ["ncsa", "-r", log, "--socket", "unix:" + path, "-F", "%U", "--drain", "0s"]
      let child = try ChildProcess(Command(words[0], words.dropFirst() + [self.program] + arguments))
      let messages = try #require(child.errorOutput)
      // The permission may be corrected, so the connection is tried again.
      let line = try messages.line(containing: "connect: Permission denied", by: .after(.seconds(10)))
      #expect(line.contains("; \(path) belongs to "), "\(line)")
      #expect(line.contains("it is tried again"), "\(line)")
      _ = try child.terminate(by: .after(.seconds(10)))
    }
  }
}
