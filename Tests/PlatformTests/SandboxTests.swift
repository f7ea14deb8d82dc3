import CShims
import Glibc
import Platform
import TestSupport
import Testing

/// Where the kernel has no Landlock, the tests can only see that the program says so.
@Suite struct SandboxTests {
  private static let interface = shim_sandbox_interface()
  private static let isThere = interface > 0
  private static let refusal = "Permission denied"

  private let directory: TemporaryDirectory
  private var inside: String { directory.file("inside") }
  private var outside: String { directory.file("outside") }

  init() throws {
    directory = try TemporaryDirectory()
    for name in ["inside", "outside", "readable"] { mkdir(directory.file(name), 0o777) }
    for name in ["inside/old", "outside/old", "readable/file"] {
      try writeFile(directory.file(name), "text".utf8)
    }
  }

  @Test(.enabled(if: isThere))
  func `files are made, written, moved and removed beneath an output's directory`() throws {
    let within = [
      "write=\(inside)/old", "create=\(inside)/new", "directory=\(inside)/2026",
      "rename=\(inside)/new,\(inside)/new.1", "link=\(inside)/current", "socket=\(inside)/socket",
      "create=\(inside)/2026/a", "unnamed=\(inside),\(inside)/named", "truncate=\(inside)/old",
      "read=\(inside)/old", "list=\(inside)", "remove=\(inside)/old", "in-thread=create,\(inside)/thread",
    ]
    try expect(within, after: ["writable=\(inside)", "enter"], give: "done")
  }

  @Test(.enabled(if: isThere)) func `nothing is touched elsewhere, by later threads neither`() throws {
    let elsewhere = [
      "read=\(outside)/old", "write=\(outside)/old", "create=\(outside)/new", "directory=\(outside)/2026",
      "link=\(outside)/current", "socket=\(outside)/socket", "list=\(outside)", "remove=\(outside)/old",
      "unnamed=\(outside),\(outside)/named", "in-thread=read,\(outside)/old",
      // The right to read doesn't include writing.
      "write=\(directory.file("readable/file"))", "create=\(directory.file("readable/new"))",
    ]
    let plan = ["writable=\(inside)", "readable=\(directory.file("readable"))", "enter"]
    try expect(elsewhere, after: plan, give: Self.refusal)
    #expect(try readText("\(outside)/old") == "text")
    try expect(["read=\(directory.file("readable/file"))"], after: plan, give: "done")
  }

  @Test(.enabled(if: interface >= 2)) func `files are moved between directories beneath one`() throws {
    let moves = [
      "directory=\(inside)/a", "directory=\(inside)/b", "create=\(inside)/a/x",
      "rename=\(inside)/a/x,\(inside)/b/x",
    ]
    try expect(moves, after: ["writable=\(inside)", "enter"], give: "done")
  }

  @Test(.enabled(if: isThere)) func `a device that is an output can be opened again`() throws {
    try expect(["write=/dev/full"], after: ["file=/dev/full", "enter"], give: "done")
    try expect(["write=/dev/full"], after: ["enter"], give: Self.refusal)
  }

  @Test(.enabled(if: isThere)) func `users and time zones are still found`() throws {
    let probe = try SystemProbeRun(
      "library", "enter", "user=daemon", "zone=:/usr/share/zoneinfo/Etc/GMT-5", "read=/etc/passwd",
      "read=/proc/1/stat")
    #expect(probe["user=daemon"] == "done")
    #expect(probe["zone=:/usr/share/zoneinfo/Etc/GMT-5"] == "18000")
    #expect(probe["read=/proc/1/stat"] == "done")
  }

  @Test(.enabled(if: isThere)) func `commands run and read, but write only beneath the outputs`() throws {
    let read = "shell=cat \(outside)/old >/dev/null"
    let write = "shell=echo x 2>/dev/null >\(outside)/new", append = "shell=echo x >>\(inside)/new"
    let probe = try SystemProbeRun("writable=\(inside)", "library", "commands", "enter", read, write, append)
    #expect(probe[read] == "0")
    #expect(probe[write] != "0")
    #expect(probe[append] == "0")
    #expect(!directoryEntries(outside).contains("new"))
    let without = try SystemProbeRun("library", "enter", "shell=true")
    #expect(without["shell=true"] == Self.refusal)
  }

  @Test(.enabled(if: interface >= 4))
  func `connections are made only if the plan says so, and never waited for`() throws {
    // Usually nothing listens on that port, so that a permitted connection is refused by the peer.
    let refused = try SystemProbeRun("enter", "connect=1", "bind=0")
    #expect(refused["connect=1"] == Self.refusal)
    #expect(refused["bind=0"] == Self.refusal)
    let allowed = try SystemProbeRun("connects", "enter", "connect=1", "bind=0")
    #expect(allowed["connect=1"] != nil && allowed["connect=1"] != Self.refusal)
    #expect(allowed["bind=0"] == Self.refusal)
  }

  @Test(.enabled(if: interface >= 6)) func `signals reach none outside, but commands of its own`() throws {
    let own = "shell=kill -0 $$"
    let probe = try SystemProbeRun("library", "commands", "enter", "signal=\(getpid())", own)
    #expect(probe["signal=\(getpid())"] == "Operation not permitted")
    #expect(probe[own] == "0")
  }

  @Test(.enabled(if: isThere), arguments: 1...7)
  func `older kernels limit what they can`(interface: Int) throws {
    guard interface <= Self.interface else { return }
    let probe = try SystemProbeRun(
      "interface=\(interface)", "writable=\(inside)", "enter", "create=\(inside)/new",
      "create=\(outside)/new",
      "connect=1")
    #expect(probe["enter"]?.hasPrefix("\(interface), ") == true)
    #expect(probe["create=\(inside)/new"] == "done")
    #expect(probe["create=\(outside)/new"] == Self.refusal)
    #expect((probe["connect=1"] == Self.refusal) == (interface >= 4))
  }

  @Test func `a kernel without it limits nothing, and that is said`() throws {
    let probe = try SystemProbeRun("interface=0", "enter", "create=\(outside)/new")
    #expect(probe["enter"]?.hasPrefix("0, ") == true)
    #expect(probe["create=\(outside)/new"] == "done")
    let result = SandboxResult(interface: 0, lacks: ["has none"])
    #expect(result.description == "sandbox: none; this kernel has none")
  }

  @Test(.enabled(if: isThere))
  func `threads that are there already are counted, and paths that aren't are named`() throws {
    let missing = directory.file("missing")
    let probe = try SystemProbeRun("thread", "readable=\(missing)", "readable=\(inside)", "enter")
    #expect(probe["enter"] == "\(Self.interface), 1 other threads, missing [\"\(missing)\"]")
  }

  @Test func `plans are put together`() {
    var plan = SandboxPlan(readable: ["/a"], connects: false)
    plan.formUnion(SandboxPlan(readable: ["/a", "/b"], writableDirectories: ["/c"], connects: true))
    #expect(plan == SandboxPlan(readable: ["/a", "/b"], writableDirectories: ["/c"], connects: true))
  }

  @Test func `what a later plan wants in addition is named`() {
    let entered = SandboxPlan(
      readable: ["/var/lib/varnish"], writableDirectories: ["/var/log/spillway/"],
      writableFiles: ["/dev/null"])
    func shortcomings(_ plan: SandboxPlan) -> [String] { entered.shortcomings(for: plan) }
    #expect(shortcomings(entered) == [])
    #expect(
      shortcomings(
        SandboxPlan(
          readable: ["/var/lib/varnish/edge", "/var/log/spillway/a"],
          writableDirectories: ["/var/log/spillway/new"], writableFiles: ["/var/log/spillway/pipe"])) == [])
    #expect(
      shortcomings(
        SandboxPlan(
          readable: ["/var/lib/varnish2"],
          writableDirectories: ["/var/lib/varnish", "/var/log/spillway/../x"],
          writableFiles: ["/dev/tty"])) == [
          "/var/lib/varnish2 can't be read", "/var/lib/varnish can't be written",
          "/var/log/spillway/../x can't be written", "/dev/tty can't be written",
        ])
    #expect(
      shortcomings(.commandNeeds).suffix(3) == [
        "commands can't be executed", "connections can't be made", "abstract sockets can't be reached",
      ])
    var wide = SandboxPlan.commandNeeds
    wide.formUnion(.libraryNeeds)
    #expect(wide.shortcomings(for: SandboxPlan(readable: ["/anything"], executable: ["/usr/bin"])) == [])
  }

  private func expect(_ attempts: [String], after plan: [String], give answer: String) throws {
    let run = try SystemProbeRun(commands: plan + attempts)
    for attempt in attempts { #expect(run[attempt] == answer, "\(attempt)") }
  }
}
