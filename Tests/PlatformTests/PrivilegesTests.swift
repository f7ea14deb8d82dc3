import Glibc
import Platform
import TestSupport
import Testing

@Suite struct PrivilegesTests {
  private static let isRoot = geteuid() == 0

  @Test(.enabled(if: isRoot)) func `a process that was root's becomes a user's with all its threads`() throws
  {
    let nobody = try Account("nobody")
    let probe = try SystemProbeRun(
      "thread", "drop=nobody", "thread", "status=Uid", "status=Gid", "status=Groups", "status=CapEff",
      "status=CapPrm", "variable=HOME", "variable=USER")
    #expect(probe["drop=nobody"] == "done")
    let (user, group) = (nobody.user, nobody.group)
    #expect(probe["status=Uid"] == "\(user) \(user) \(user) \(user)")
    #expect(probe["status=Gid"] == "\(group) \(group) \(group) \(group)")
    #expect(probe["status=Groups"] == "4242 \(group)")
    #expect(probe["status=CapEff"] == "0000000000000000")
    #expect(probe["status=CapPrm"] == "0000000000000000")
    #expect(probe["variable=HOME"] == nobody.home)
    #expect(probe["variable=USER"] == "nobody")
  }

  @Test(.enabled(if: isRoot)) func `nothing is inherited, and nothing can be had again`() throws {
    let probe = try SystemProbeRun(
      "drop=nobody", "status=CapInh", "status=CapAmb", "status=NoNewPrivs", "become=0", "drop=daemon",
      "shell=test $(id -u) -ne 0")
    #expect(probe["status=CapInh"] == "0000000000000000")
    #expect(probe["status=CapAmb"] == "0000000000000000")
    #expect(probe["status=NoNewPrivs"] == "1")
    #expect(probe["become=0"] == "Operation not permitted")
    let user = try Account("nobody").user
    #expect(probe["drop=daemon"] == "only root can become another user, and this is user \(user)")
    #expect(probe["shell=test $(id -u) -ne 0"] == "0")
  }

  @Test(.enabled(if: isRoot)) func `files are made as before, in a sandbox, too`() throws {
    let directory = try TemporaryDirectory()
    let nobody = try Account("nobody")
    #expect(chown(directory.path, nobody.user, nobody.group) == 0)
    // After a process has changed its user, its /proc files belong to root; the process must still find its
    // own descriptors.
    let attempts = ["unnamed=\(directory.path),\(directory.file("a"))", "create=\(directory.file("b"))"]
    let plan = ["library", "writable=\(directory.path)", "drop=nobody", "enter"]
    let probe = try SystemProbeRun(commands: plan + attempts)
    for attempt in attempts { #expect(probe[attempt] == "done", "\(attempt)") }
    var status = stat()
    #expect(lstat(directory.file("a"), &status) == 0)
    #expect(status.st_uid == nobody.user && status.st_gid == nobody.group)
  }

  @Test(.enabled(if: isRoot)) func `becoming root is refused`() throws {
    let probe = try SystemProbeRun("drop=root", "status=Uid")
    #expect(probe["drop=root"] == "becoming root gives up nothing; another user is needed")
    #expect(probe["status=Uid"] == "0 0 0 0")
  }

  @Test(.enabled(if: !isRoot)) func `who isn't root can't become another`() throws {
    #expect(throws: PrivilegesError.notRoot(asking: geteuid())) {
      try Privileges.drop(to: try Account("nobody"))
    }
  }
}
