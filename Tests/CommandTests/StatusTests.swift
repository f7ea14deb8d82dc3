import Foundation
import Glibc
import TestSupport
import Testing

/// Asking a run for its status while it goes on.
@Suite(.needs(.spillway))
struct StatusTests {
  private static func ask(_ arguments: String...) throws -> ProcessResult {
    try ProcessRunner.run(Command(try Subject.found().path, ["status"] + arguments))
  }

  static func document(_ path: String) throws -> [String: Any] {
    let answer = try ask("--json", path)
    try #require(answer.status == 0, "\(answer.errorText)")
    return try #require(try JSONSerialization.jsonObject(with: Data(answer.output)) as? [String: Any])
  }

  /// The first output's account; nil if no output is listed, as by a run that has just begun.
  private static func account(_ document: [String: Any]) -> [String: Any]? {
    (document["outputs"] as? [[String: Any]])?.first?["account"] as? [String: Any]
  }

  /// Waits until a run's status says that it has written this many lines.
  private static func waitForWritten(_ count: Int, _ path: String) throws -> [String: Any] {
    let deadline = Deadline.after(.seconds(60))
    while true {
      let document = try document(path)
      if account(document)?["written"] as? Int == count { return document }
      try #require(!deadline.hasPassed, "\(document)")
      Deadline.after(.milliseconds(50)).sleep()
    }
  }

  @Test func `both answers tell what has become of a live log`() async throws {
    try await onOwnThread {
      let home = try TemporaryDirectory()
      let (socket, log) = (home.file("run/status"), home.file("access.log"))
      let feed = try LiveFeed(["-w", log, "--status-socket", socket]) { (try? readText(log)) ?? "" }
      feed.send(50)
      try feed.waitForAll { () throws(SupportError) in try readText(log) }
      let lines = try readText(log).split(separator: "\n").count
      let document = try Self.waitForWritten(lines, socket)
      #expect(document["pid"] as? Int == Int(feed.child.identifier))
      let input = try #require(document["log"] as? [String: Any])
      #expect(input["state"] as? String == "reading")
      #expect(input["ring_bytes"] as? Int == 32765 * 8 * 4)
      let output = try #require((document["outputs"] as? [[String: Any]])?.first)
      #expect(output["name"] as? String == log)
      #expect(output["state"] as? String == "running")
      #expect((output["last_entry"] as? String)?.hasSuffix("Z") == true)
      let account = try #require(Self.account(document))
      for (key, value) in [("seen", lines), ("dropped", 0), ("lost", 0), ("queued", 0)] {
        #expect(account[key] as? Int == value, "\(key)")
      }
      #expect((account["causes"] as? [String: Int])?["spool_full"] == 0)
      let table = try Self.ask(socket)
      #expect(table.status == 0)
      #expect(table.text.contains("spillway 0.1.0, process \(feed.child.identifier), up "))
      #expect(table.text.contains("\(log)  running"))
      #expect(table.text.contains("  seen=\(lines) written=\(lines) filtered=0 dropped=0 lost=0"))
      // Accessible only to owner and group, and removed with the run.
      var status = stat()
      #expect(lstat(socket, &status) == 0 && status.st_mode & 0o777 == 0o660)
      #expect(try feed.finish().end.status == 0)
      #expect(access(socket, F_OK) != 0)
    }
  }

  @Test func `a reader that has caught up is behind nothing`() async throws {
    try await onOwnThread {
      let home = try TemporaryDirectory()
      let (socket, log) = (home.file("status"), home.file("access.log"))
      let feed = try LiveFeed(["-w", log, "--status-socket", socket]) { (try? readText(log)) ?? "" }
      let isCaughtUp = try poll(until: .after(.seconds(30))) { () throws(SupportError) in
        let input = try? Self.document(socket)["log"] as? [String: Any]
        return input?["lag_bytes"] as? Int == 0 && input?["lag_seconds"] as? Double == 0
      }
      #expect(isCaughtUp)
      _ = try feed.finish()
    }
  }

  @Test func `clients that say nothing or half of it hold up neither the run nor others`() async throws {
    try await onOwnThread {
      let home = try TemporaryDirectory()
      let (socket, log) = (home.file("status"), home.file("access.log"))
      let feed = try LiveFeed(["-w", log, "--status-socket", socket]) { (try? readText(log)) ?? "" }
      var clients: [LocalClient] = []
      for text in ["", "js", "GET / HT", String(repeating: "x", count: 1000), "table"] {
        for _ in 0..<8 {
          // More clients than are served at once; each new one displaces the oldest silent one.
          if let client = try? LocalClient(socket, saying: text) { clients.append(client) }
        }
      }
      #expect(clients.count >= 16)
      feed.send(200)
      try feed.waitForAll { () throws(SupportError) in try readText(log) }
      #expect(LiveFeed.lines(try readText(log)) == feed.requested)
      let lines = try readText(log).split(separator: "\n").count
      _ = try Self.waitForWritten(lines, socket)
      withExtendedLifetime(clients) {}
      let (end, said) = try feed.finish()
      #expect(end.status == 0)
      #expect(said.last == "spillway: seen=\(lines) written=\(lines) filtered=0 dropped=0 lost=0")
    }
  }

  @Test func `a run that waits for its file or for its consumer answers too`() async throws {
    try await onOwnThread {
      let home = try TemporaryDirectory()
      let (socket, pipe) = (home.file("status"), home.file("pipe"))
      try #require(mkfifo(pipe, 0o600) == 0)
      let writer = open(pipe, O_RDWR | O_CLOEXEC)
      defer { close(writer) }
      var command = try Subject.found().ncsa(["-r", pipe, "-F", "%U", "--status-socket", socket])
      command.environment = ["SPILLWAY_COMPAT": nil]
      let child = try ChildProcess(command)
      let bytes = StartTests.log.bytes
      #expect(Glibc.write(writer, bytes, bytes.count) == bytes.count)
      let isThere = try poll(until: .after(.seconds(30))) { access(socket, F_OK) == 0 }
      try #require(isThere)
      let document = try Self.waitForWritten(1, socket)
      #expect((document["log"] as? [String: Any])?["path"] as? String == pipe)
      _ = try child.terminate(by: .after(.seconds(30)))
    }
  }

  @Test func `a daemon answers where the service manager has made a directory`() async throws {
    try await onOwnThread {
      let instance = try SampleWorkdir()
      _ = try instance.startWorker(eighthWords: 512)
      let home = try TemporaryDirectory()
      var command = try Subject.found().ncsa([
        "-D", "-n", instance.path, "-w", home.file("log"), "-P", home.file("pid"),
      ])
      command.environment = ["SPILLWAY_COMPAT": nil, "RUNTIME_DIRECTORY": home.path]
      let start = try ProcessRunner.run(command)
      try #require(start.status == 0, "\(start.errorText)")
      let number = try #require(pid_t(try readText(home.file("pid"))))
      defer { kill(number, SIGKILL) }
      #expect(try Self.document(home.file("status.sock"))["pid"] as? Int == Int(number))
      // Another run goes on without the status socket.
      command.arguments = ["ncsa", "-D", "-n", instance.path, "-w", home.file("2"), "-P", home.file("pid2")]
      let second = try ProcessRunner.run(command)
      #expect(second.status == 0)
      #expect(
        second.errorText
          == "spillway: status socket: \(home.file("status.sock")): another process answers there; "
          + "this run can't be asked how it does\n")
      kill(try #require(pid_t(try readText(home.file("pid2")))), SIGTERM)
      kill(number, SIGTERM)
      #expect(try poll(until: .after(.seconds(20))) { access(home.file("status.sock"), F_OK) != 0 })
    }
  }

  @Test func `what can't be asked for is one line`() throws {
    let home = try TemporaryDirectory()
    let none = try Self.ask(home.file("none"))
    #expect(none.status == 1)
    #expect(
      none.errorText
        == "spillway: \(home.file("none")): there is no such socket; does spillway run, with this status socket?\n"
    )
    let both = try Self.ask("--json", "--table", home.file("none"))
    #expect(both.status == 1)
    #expect(both.errorText == "spillway: Only one of --json and --table may be used\n")
    try writeFile(home.file("file"), "text".utf8)
    let foreign = try Subject.found().run(
      over: StartTests.log, ["--status-socket", home.file("file"), "-F", "%U"])
    #expect(foreign.status == 1)
    #expect(
      foreign.errorText
        == "spillway: --status-socket: \(home.file("file")): is a file, which isn't replaced\n")
    #expect(try readText(home.file("file")) == "text")
  }
}
