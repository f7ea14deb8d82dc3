import Platform
import TestSupport
import Testing

/// The memory figures of a container, in the formats of both versions of the interface.
@Suite struct ControlGroupsTests {
  private let root: TemporaryDirectory

  init() throws { root = try TemporaryDirectory() }

  private func write(_ path: String, _ text: String) throws {
    let directory = String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)])
    _ = try ProcessRunner.run(Command("mkdir", ["-p", root.path + directory]))
    try writeFile(root.path + path, text.utf8)
  }

  private func limit(groups: String, mounts: [String], files: [String: String]) throws -> Int? {
    try write("/proc/self/cgroup", groups)
    try write("/proc/self/mountinfo", mounts.joined(separator: "\n") + "\n")
    for (path, text) in files { try write(path, text) }
    return ControlGroups(root: root.path).memoryBytesMax
  }

  private static let second = "30 24 0:26 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate"
  private static let first =
    "35 30 0:31 / /sys/fs/cgroup/memory rw,nosuid shared:15 - cgroup cgroup rw,memory"

  @Test func `the second version's limit is found`() throws {
    #expect(
      try limit(
        groups: "0::/system.slice/spillway.service\n", mounts: [Self.second],
        files: ["/sys/fs/cgroup/system.slice/spillway.service/memory.max": "100663296\n"]) == 96 << 20)
  }

  @Test func `a limit further up binds, too`() throws {
    #expect(
      try limit(
        groups: "0::/a/b/c\n", mounts: [Self.second],
        files: [
          "/sys/fs/cgroup/a/memory.max": "50000000\n", "/sys/fs/cgroup/a/b/memory.max": "max\n",
          "/sys/fs/cgroup/a/b/c/memory.max": "90000000\n",
        ]) == 50_000_000)
  }

  @Test func `memory-high counts, as everything beyond it is slow`() throws {
    #expect(
      try limit(
        groups: "0::/\n", mounts: [Self.second],
        files: ["/sys/fs/cgroup/memory.max": "max\n", "/sys/fs/cgroup/memory.high": "70000000\n"])
        == 70_000_000)
  }

  @Test func `the first version's limit is found`() throws {
    #expect(
      try limit(
        groups: "4:memory:/docker/abc\n3:cpuset:/\n", mounts: [Self.first],
        files: ["/sys/fs/cgroup/memory/docker/abc/memory.limit_in_bytes": "100663296\n"]) == 96 << 20)
  }

  @Test func `in a container its own group is what is mounted`() throws {
    let mount = Self.first.replacing("0:31 / ", with: "0:31 /docker/abc ")
    #expect(
      try limit(
        groups: "4:cpu,memory:/docker/abc\n", mounts: [mount],
        files: ["/sys/fs/cgroup/memory/memory.limit_in_bytes": "33554432\n"]) == 32 << 20)
    let stranger = Self.first.replacing("0:31 / ", with: "0:31 /other ")
    #expect(
      try limit(groups: "4:memory:/docker/abc\n", mounts: [stranger], files: [:]) == 32 << 20)
  }

  @Test func `both versions may be there, and the least counts`() throws {
    #expect(
      try limit(
        groups: "4:memory:/\n0::/\n", mounts: [Self.first, Self.second],
        files: [
          "/sys/fs/cgroup/memory/memory.limit_in_bytes": "900000000\n",
          "/sys/fs/cgroup/memory.max": "800000000\n",
        ]) == 800_000_000)
  }

  @Test(arguments: [
    "max\n", "9223372036854771712\n", "", "many\n", "-5\n", "99999999999999999999999\n",
  ])
  func `what is no number, or as good as none, is no limit`(text: String) throws {
    #expect(
      try limit(groups: "0::/\n", mounts: [Self.second], files: ["/sys/fs/cgroup/memory.max": text]) == nil)
  }

  @Test(arguments: ["", "\n\n", "0\n", "::\n", "0::/../..\n", ":memory\n", "0::relative\n"])
  func `odd lists of groups do no harm`(groups: String) throws {
    #expect(
      try limit(
        groups: groups, mounts: [Self.second, "", "1 2 3 - x", "- - - - - - - - - -"],
        files: ["/sys/fs/cgroup/memory.max": "1048576\n"]) == 1 << 20)
  }

  @Test func `without the files there is no limit`() {
    #expect(ControlGroups(root: root.path).memoryBytesMax == nil)
  }

  @Test(
    arguments: [
      (64 << 30, nil, nil, 512 << 20), (96 << 20, nil, nil, 24 << 20), (1 << 20, nil, nil, 4 << 20),
      (64 << 30, 400 << 20, 40 << 20, 164 << 20), (64 << 30, 30 << 20, 40 << 20, 4 << 20),
      (nil, nil, nil, 512 << 20),
    ] as [(Int?, Int?, Int?, Int)])
  func `a queue takes a share`(memory: Int?, addresses: Int?, used: Int?, expected: Int) {
    var limits = MachineLimits.current
    limits.memoryBytes = memory
    limits.addresses = addresses.map { (bytesMax: $0, bytesUsed: used ?? 0) }
    #expect(limits.queueBytes == expected)
  }
}
