import Glibc
import TestSupport
import Testing

/// Outputs on file systems that fail for a while, with lines coming in all the time.
@Suite(.serialized, .needs(.spillway), .limit(minutes: 3))
struct FileSystemTests {
  private static func arguments(_ path: String, _ isCompressed: Bool, _ more: [String] = []) -> [String] {
    ["-w", path] + (isCompressed ? ["--gzip"] : []) + more
  }

  /// Ends the run, and checks that everything arrived once and in order, and which messages there were.
  private func finish(
    _ feed: LiveFeed, _ output: OutputDirectory, from first: Int = 0, saying expected: [String]
  ) throws {
    try feed.waitForAll { () throws(SupportError) in try output.text() }
    let (end, said) = try feed.finish()
    #expect(end.status == 0)
    #expect(said.count == expected.count + 1, "\(said)")
    for (line, text) in zip(said, expected) { #expect(line.contains(text), "\(said)") }
    #expect(said.last?.contains("dropped=0 lost=0") == true, "\(said)")
    let lines = LiveFeed.lines(try output.text())
    // Compared outside the expectation, so that thousands of lines aren't printed.
    let isWhole = lines == Array(feed.requested[first...])
    #expect(isWhole, "\(lines.count) of \(feed.requested.count - first)")
    if output.isCompressed {
      for name in directoryEntries(output.path) where name.hasPrefix("access.log") {
        var test = Command("gzip", ["-t"])
        test.input = .file("\(output.path)/\(name)")
        #expect(try ProcessRunner.run(test).status == 0, "\(name)")
      }
    }
  }

  @Test(
    .needs(.mount), arguments: [false, true], [[], ["--rotate-size", "8K"]])
  func `a disk that fills up and is freed again costs nothing`(
    isCompressed: Bool, rotation: [String]
  ) async throws {
    try await onOwnThread {
      let disk = try MountedFileSystem(byteCount: 64 << 20)
      let output = OutputDirectory(path: disk.path, isCompressed: isCompressed)
      let feed = try LiveFeed(Self.arguments(disk.file("access.log"), isCompressed, rotation)) {
        () throws(SupportError) in try output.text()
      }
      feed.send(500)
      try feed.waitForAll { () throws(SupportError) in try output.text() }
      try disk.fill("filler")
      feed.send(1000)
      try feed.message(containing: "No space left on device; it is tried again until it works")
      feed.send(1000)
      unlink(disk.file("filler"))
      try feed.message(containing: "works again")
      feed.send(500)
      try finish(feed, output, saying: ["No space left on device", "works again"])
    }
  }

  @Test(arguments: [false, true])
  func `a directory that vanishes is waited for`(isCompressed: Bool) async throws {
    try await onOwnThread {
      let home = try TemporaryDirectory()
      let output = OutputDirectory(path: home.file("logs"), isCompressed: isCompressed)
      mkdir(output.path, 0o755)
      let feed = try LiveFeed(Self.arguments("\(output.path)/access.log", isCompressed)) {
        () throws(SupportError) in try output.text()
      }
      feed.send(100)
      try feed.waitForAll { () throws(SupportError) in try output.text() }
      #expect(try ProcessRunner.run("rm", "-rf", output.path).status == 0)
      feed.send(1000)
      try feed.message(containing: "logs; it is tried again until it works")
      feed.send(1000)
      mkdir(output.path, 0o755)
      try feed.message(containing: "works again")
      feed.send(100)
      try finish(
        feed, output, from: 100, saying: ["was deleted", "open: No such file or directory", "works again"])
    }
  }

  @Test(.needs(.mount), arguments: [false, true])
  func `a file system that can't be written to any more is waited for`(isCompressed: Bool) async throws {
    try await onOwnThread {
      let home = try TemporaryDirectory()
      let output = OutputDirectory(path: home.path, isCompressed: isCompressed)
      let size = isCompressed ? "1K" : "20K"
      let feed = try LiveFeed(
        Self.arguments(home.file("access.log"), isCompressed, ["--rotate-size", size])
      ) { () throws(SupportError) in try output.text() }
      feed.send(300)
      try feed.waitForAll { () throws(SupportError) in try output.text() }
      do {
        // The open file keeps growing, invisibly; the next one can't be made.
        let cover = try MountedFileSystem(readOnlyOver: home.path)
        var sent = 0
        while !feed.messages.text.contains("Read-only file system"), sent < 3000 {
          feed.send(100)
          sent += 100
          _ = try poll(until: .after(.milliseconds(isCompressed ? 1200 : 200))) {
            feed.messages.text.contains("Read-only file system")
          }
        }
        try feed.message(containing: "open: Read-only file system; it is tried again until it works")
        feed.send(200)
        _ = cover
      }
      try feed.message(containing: "works again")
      feed.send(200)
      try finish(feed, output, saying: ["Read-only file system", "works again"])
    }
  }

  @Test(.needs(.root, .program("setpriv")))
  func `a directory that may not be written to any more is waited for`() async throws {
    try await onOwnThread {
      let home = try TemporaryDirectory()
      let output = OutputDirectory(path: home.file("logs"), isCompressed: false)
      mkdir(output.path, 0o755)
      chmod(home.path, 0o755)
      chown(output.path, 65534, 65534)
      let program = home.file("spillway")
      #expect(try ProcessRunner.run("cp", try Subject.found().path, program).status == 0)
      let feed = try LiveFeed(
        ["-w", "\(output.path)/access.log"],
        wrap: { command in
          var command = command
          command.arguments = ["--reuid=65534", "--clear-groups", program] + command.arguments
          command.executable = "setpriv"
          return command
        }, text: { () throws(SupportError) in try output.text() })
      feed.send(100)
      try feed.waitForAll { () throws(SupportError) in try output.text() }
      rename("\(output.path)/access.log", "\(output.path)/access.log.1")
      chmod(output.path, 0o555)
      feed.child.signal(SIGHUP)
      try feed.message(containing: "is asking; it is tried again until it works")
      feed.send(500)
      chmod(output.path, 0o755)
      try feed.message(containing: "works again")
      feed.send(100)
      try feed.waitForAll { () throws(SupportError) in try readText("\(output.path)/access.log") }
      let (end, said) = try feed.finish()
      #expect(end.status == 0)
      #expect(said.count == 3, "\(said)")
      let text = try readText("\(output.path)/access.log.1") + readText("\(output.path)/access.log")
      #expect(LiveFeed.lines(text) == feed.requested)
    }
  }
}
