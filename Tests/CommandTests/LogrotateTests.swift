import Glibc
import TestSupport
import Testing

/// Rotation by logrotate, in the usual ways.
@Suite(.needs(.spillway, .program("logrotate")), .limit(minutes: 2))
struct LogrotateTests {
  private func rotate(_ home: TemporaryDirectory, _ directives: String) throws {
    let rules = "\(home.file("logs"))/access.log {\nrotate 100\nsize 1\n\(directives)\n}\n"
    try writeFile(home.file("rules"), rules.utf8)
    chmod(home.file("rules"), 0o644)
    let result = try ProcessRunner.run("logrotate", "-f", "-s", home.file("state"), home.file("rules"))
    try #require(result.status == 0, "\(result.errorText)")
  }

  /// The text of the files from the oldest to the current one.
  private func text(_ home: TemporaryDirectory, rotated: Int, isCompressed: Bool) throws(SupportError)
    -> String
  {
    var text = ""
    for suffix in (1...max(rotated, 1)).reversed().map({ ".\($0)" }) + [""] {
      let path = "\(home.file("logs"))/access.log\(suffix)"
      guard access(path, F_OK) == 0 else { continue }
      var command = Command(isCompressed ? "gzip" : "cat", isCompressed ? ["-dcq"] : [])
      command.input = .file(path)
      text += try ProcessRunner.run(command).text
    }
    return text
  }

  @Test(arguments: [false, true])
  func `moving the file and sending SIGHUP loses nothing`(isCompressed: Bool) async throws {
    try await onOwnThread {
      let home = try TemporaryDirectory()
      mkdir(home.file("logs"), 0o755)
      let path = home.file("logs") + "/access.log"
      let feed = try LiveFeed(["-w", path] + (isCompressed ? ["--gzip"] : [])) { () throws(SupportError) in
        try text(home, rotated: 0, isCompressed: isCompressed)
      }
      for turn in 1...3 {
        feed.send(500)
        try rotate(home, "missingok\nnocreate\npostrotate\nkill -HUP \(feed.child.identifier)\nendscript")
        feed.send(500)
        let isReopened = try poll(until: .after(.seconds(10))) { () throws(SupportError) in
          access(path, F_OK) == 0
        }
        #expect(isReopened, "\(turn)")
      }
      feed.send(10)
      try feed.waitForAll { () throws(SupportError) in
        try text(home, rotated: 3, isCompressed: isCompressed)
      }
      let (end, said) = try feed.finish()
      #expect(end.status == 0)
      #expect(said.count == 1, "\(said)")
      #expect(LiveFeed.lines(try text(home, rotated: 3, isCompressed: isCompressed)) == feed.requested)
      #expect(directoryEntries(home.file("logs")).count == 4)
    }
  }

  @Test func `a file that is copied and emptied goes on from its start`() async throws {
    try await onOwnThread {
      let home = try TemporaryDirectory()
      mkdir(home.file("logs"), 0o755)
      let feed = try LiveFeed(["-w", home.file("logs") + "/access.log", "--rotate-size", "10M"]) {
        () throws(SupportError) in try text(home, rotated: 0, isCompressed: false)
      }
      for turn in 1...3 {
        feed.send(500)
        // Lines that any program writes between the copying and the truncation are lost, so the test waits
        // for all lines.
        try feed.waitForAll { () throws(SupportError) in try text(home, rotated: turn, isCompressed: false) }
        try rotate(home, "copytruncate")
      }
      feed.send(100)
      try feed.waitForAll { () throws(SupportError) in try text(home, rotated: 3, isCompressed: false) }
      let (end, said) = try feed.finish()
      #expect(end.status == 0)
      #expect(said.count == 1, "\(said)")
      #expect(LiveFeed.lines(try text(home, rotated: 3, isCompressed: false)) == feed.requested)
      #expect(try readFile(home.file("logs") + "/access.log").first == UInt8(ascii: "/"), "no hole")
    }
  }
}
