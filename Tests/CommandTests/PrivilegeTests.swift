import Glibc
import TestSupport
import Testing

/// Giving up root's privileges, and the work that remains possible without them.
@Suite(.needs(.spillway))
struct PrivilegeTests {
  private let home: TemporaryDirectory

  init() throws {
    home = try TemporaryDirectory()
    chmod(home.path, 0o755)
  }

  /// A user and a group that exist on every system and own no files of the tests.
  private static let user = "daemon", logGroup = "mail"

  private func command(_ arguments: [String]) throws -> Command {
    var command = try Subject.found().ncsa(arguments)
    command.environment = ["SPILLWAY_COMPAT": nil]
    return command
  }

  /// A directory owned by that user.
  private func directory(_ name: String, mode: mode_t = 0o755) throws -> String {
    let path = home.file(name)
    let entry = try #require(getpwnam(Self.user))
    try #require(mkdir(path, mode) == 0 && chown(path, entry.pointee.pw_uid, entry.pointee.pw_gid) == 0)
    return path
  }

  /// The numbers in a line of a process's status file.
  private static func numbers(_ word: String, of process: pid_t) throws -> Set<gid_t> {
    let line = try readText("/proc/\(process)/status").split(separator: "\n").first { $0.hasPrefix(word) }
    return Set(
      try #require(line).dropFirst(word.count).split(whereSeparator: { " \t".contains($0) }).compactMap {
        gid_t($0)
      })
  }

  /// An instance that only root and a group may look into.
  private func restrictedInstance() throws -> SampleWorkdir {
    let instance = try SampleWorkdir(path: home.file("instance"))
    try restrict("\(instance.path)/_.vsm_mgt")
    return instance
  }

  private func restrict(_ path: String, mode: mode_t = 0o750) throws {
    let group = try #require(getgrnam(Self.logGroup)).pointee.gr_gid
    try #require(chown(path, 0, group) == 0 && chmod(path, mode) == 0)
  }

  private func send(_ path: String, _ vxid: UInt64, to ring: RingWriter) {
    ring.append(batch: [
      SampleRecord(vxid, .client, "Begin", "req 1 rxreq"), SampleRecord(vxid, .client, "ReqURL", path),
      SampleRecord(vxid, .client, "End"),
    ])
  }

  @Test(.needs(.root))
  func `the user reads the log by its group, and owns all that is written`() async throws {
    try await onOwnThread {
      let entry = try #require(getpwnam(Self.user))
      let (user, group) = (entry.pointee.pw_uid, entry.pointee.pw_gid)
      let instance = try restrictedInstance()
      var ring = try instance.startWorker(eighthWords: 512)
      try restrict("\(instance.path)/_.vsm_child")
      try restrict(ring.path, mode: 0o640)
      let logs = try directory("logs")
      let log = "\(logs)/access.log"
      let child = try ChildProcess(
        try command([
          "-n", instance.path, "-F", "%U", "-w", log, "--user", Self.user, "-P", home.file("pid"),
          "--spool-dir", "\(logs)/spool", "--status-socket", home.file("run/status"),
        ]))
      let messages = try #require(child.errorOutput)
      let isThere = try poll(until: .after(.seconds(30))) { () throws(SupportError) in
        self.send("/a", 2, to: ring)
        return (try? readText(log))?.contains("/a") == true
      }
      try #require(isThere, "\(messages.text)")
      let process = child.identifier
      #expect(try Self.numbers("Uid:", of: process) == [user])
      #expect(try Self.numbers("Gid:", of: process) == [group])
      let logGroup = try #require(getgrnam(Self.logGroup)).pointee.gr_gid
      #expect(try Self.numbers("Groups:", of: process).isSubset(of: [group, logGroup]))
      #expect(try Self.numbers("Groups:", of: process).contains(logGroup))
      #expect(try readText("/proc/\(process)/status").contains("CapEff:\t0000000000000000"))
      for path in [log, "\(logs)/spool", home.file("run/status")] {
        var status = stat()
        #expect(lstat(path, &status) == 0 && status.st_uid == user, "\(path)")
      }
      #expect(try readText(home.file("pid")) == "\(process)")
      // The new worker's log is another file, which must be opened without privileges.
      ring = try instance.startWorker(eighthWords: 512)
      try restrict("\(instance.path)/_.vsm_child")
      try restrict(ring.path, mode: 0o640)
      try messages.line(containing: "Log reacquired", by: .after(.seconds(30)))
      send("/b", 3, to: ring)
      let isRead = try poll(until: .after(.seconds(30))) { () throws(SupportError) in
        try readText(log).hasSuffix("/b\n")
      }
      #expect(isRead, "\(messages.text)")
      #expect(try child.terminate(by: .after(.seconds(30))).status == 0)
    }
  }

  @Test(.needs(.root)) func `a captured log is opened before, its output after`() throws {
    try writeFile(home.file("log.vsl"), StartTests.log.bytes)
    chmod(home.file("log.vsl"), 0o600)
    let log = "\(try directory("logs"))/access.log"
    let result = try ProcessRunner.run(
      try command(["-r", home.file("log.vsl"), "-F", "%U", "-w", log, "--user", Self.user]))
    #expect(result.status == 0, "\(result.errorText)")
    #expect(try readText(log) == "/a\n")
    // Paths to which the user may not write are refused, even if root may.
    let refused = try ProcessRunner.run(
      try command([
        "-r", home.file("log.vsl"), "-F", "%U", "-w", home.file("root.log"), "--user", Self.user,
      ]))
    #expect(refused.status == 1)
    #expect(refused.errorText.contains("Can't open output file (Permission denied)"), "\(refused.errorText)")
    #expect(access(home.file("root.log"), F_OK) != 0)
  }

  @Test(
    .needs(.root),
    arguments: [
      ("no-such-user", "--user: no-such-user: there is no such user"),
      ("daemon:no-such-group", "--user: no-such-group: there is no such group"),
      ("root", "--user: becoming root gives up nothing; another user is needed"),
      (":mail", "--user: :mail: is not NAME or NAME:GROUP"),
    ])
  func `a user that can't be had is one line`(user: String, message: String) throws {
    let result = try ProcessRunner.run(try command(["-r", "-", "--user", user]))
    #expect(result.status == 1)
    #expect(result.errorText == "spillway: \(message)\n")
  }

  @Test(.needs(.unprivilegedUser))
  func `only root can become another user`() throws {
    let program = home.file("spillway")
    let copied = try ProcessRunner.run("cp", try Subject.found().path, program)
    try #require(copied.status == 0)
    let arguments = [program, "ncsa", "-r", "-", "--user", Self.user]
    let asker = geteuid() == 0 ? ["setpriv", "--reuid=65534", "--clear-groups"] : ["env"]
    let result = try ProcessRunner.run(Command(asker[0], asker.dropFirst() + arguments))
    #expect(result.status == 1)
    #expect(
      result.errorText
        == "spillway: --user: only root can become another user, and this is user "
        + "\(geteuid() == 0 ? 65534 : geteuid())\n")
  }
}
