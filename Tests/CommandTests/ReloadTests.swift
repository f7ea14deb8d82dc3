import Foundation
import TestSupport
import Testing

/// `spillway run` reloads its configuration on SIGHUP.
@Suite(.enabled(if: Subject.isSpillway))
struct ReloadTests {
  private let home: TemporaryDirectory

  init() throws {
    home = try TemporaryDirectory()
    chmod(home.path, 0o755)
  }

  private func file(_ name: String, _ settings: String = "format-text: \"%U\"") -> String {
    "\(name): {file: \(home.file(name)), \(settings)}"
  }

  private func lines(_ name: String) throws -> [String] { LiveFeed.lines(try readText(home.file(name))) }

  private static let mistakes = [
    "broken: {file: /nonexistent/broken, format-text: x}", "broken: {file: broken, fromat: json}",
    "broken: [",
    "broken: {file: broken, query: RespStatus >=}", "stays: {file: broken}",
  ]

  @Test func `many reloads, half with mistakes, lose and double nothing while requests come`() async throws {
    try await onOwnThread {
      func outputs(_ version: Int) -> [String] {
        let formats = ["%U", "%U %m", "%U %s %m"]
        return [
          file("stays"), file("changes", "format-text: \"\(formats[version % 3])\""),
          file("packed", "gzip: \(version % 2 == 0 ? 1 : 6), format-text: \"%U\""),
          file("spooled", "spool-dir: \(home.file("spool")), format-text: \"\(formats[version % 3])\""),
        ] + (version % 2 == 0 ? [file("sometimes")] : [])
      }
      let run = try ConfiguredFeed(
        home.file("it.yaml"), process: "drain: 30s", outputs(0), first: home.file("stays"))
      for number in 1...6 {
        try run.reload(outputs(number) + [Self.mistakes[number % Self.mistakes.count]])
        try run.sendUntil("the running configuration goes on", count: number)
        try run.reload(outputs(number))
        try run.sendUntil(": read again: ", count: number)
      }
      try run.feed.waitForAll { () throws(SupportError) in try readText(home.file("stays")) }
      let (end, said) = try run.feed.finish()
      #expect(end.status == 0, "\(said)")
      #expect(try lines("stays") == run.feed.requested)
      for name in ["changes", "spooled"] {
        let paths = try lines(name).map { String($0.prefix { $0 != " " }) }
        #expect(paths.filter { $0 != "/attach" } == run.feed.requested)
      }
      let packed = try ProcessRunner.run("gzip", "-dc", home.file("packed"))
      #expect(LiveFeed.lines(packed.text) == run.feed.requested)
      let sometimes = try lines("sometimes")
      #expect(Set(sometimes).count == sometimes.count && Set(sometimes).isSubset(of: run.feed.requested))
      let accounts = said.filter { $0.contains("seen=") }
      #expect(accounts.allSatisfy { $0.contains(" dropped=0 lost=0") }, "\(accounts)")
      let replaced = accounts.filter { $0.hasPrefix("spillway: changes (ended): ") }
      #expect(replaced.count == 6)
      #expect(accounts.last?.hasPrefix("spillway: outputs that reloads have ended (21): ") == true)
    }
  }

  @Test func `mistakes are told with their places, and nothing changes`() async throws {
    try await onOwnThread {
      let run = try ConfiguredFeed(home.file("it.yaml"), [file("stays")], first: home.file("stays"))
      let former = try inode("stays")
      try run.reload([file("stays", "fromat: json"), "other: {}"])
      try run.sendUntil("goes on")
      let path = home.file("it.yaml")
      let said = run.feed.messages.text.split(separator: "\n").map(String.init)
      #expect(
        said.contains(
          "\(path):5:\(file("stays", "").count + 2): fromat: no such setting: did you mean format?"))
      #expect(said.contains { $0.hasPrefix("\(path):6:10: other: no target: ") })
      #expect(said.last == "spillway: \(path): 2 mistakes; the running configuration goes on")
      unlink(path)
      run.feed.child.signal(SIGHUP)
      try run.sendUntil("\(path): No such file or directory")
      try run.feed.waitForAll { () throws(SupportError) in try readText(home.file("stays")) }
      #expect(try run.feed.finish().end.status == 0)
      #expect(try lines("stays") == run.feed.requested && inode("stays") == former)
    }
  }

  private func inode(_ name: String) throws -> UInt64 {
    var status = stat()
    try #require(stat(home.file(name), &status) == 0)
    return UInt64(status.st_ino)
  }

  @Test func `a file that was renamed is let go of, whether or not there is a mistake`() async throws {
    try await onOwnThread {
      let run = try ConfiguredFeed(home.file("it.yaml"), [file("stays")], first: home.file("stays"))
      for number in 1...2 {
        try #require(rename(home.file("stays"), home.file("stays.\(number)")) == 0)
        try run.reload(number == 1 ? [file("stays")] : ["stays: ["])
        try run.sendUntil(number == 1 ? "no output has changed" : "goes on")
        #expect(try poll(until: .after(.seconds(30))) { access(home.file("stays"), F_OK) == 0 })
      }
      run.feed.send(10)
      try run.feed.waitForAll { () throws(SupportError) in try readText(home.file("stays")) }
      #expect(try run.feed.finish().end.status == 0)
      #expect(try lines("stays.1") + lines("stays.2") + lines("stays") == run.feed.requested)
    }
  }

  @Test func `a service manager is told when it begins and when it is over`() async throws {
    try await onOwnThread {
      let manager = try NotifySocket(path: home.file("notify"))
      let run = try ConfiguredFeed(
        home.file("it.yaml"), [file("stays")], first: home.file("stays"),
        environment: ["NOTIFY_SOCKET": manager.path])
      try manager.message("READY=1")
      for outputs in [[file("stays"), file("comes")], ["broken: ["]] {
        try run.reload(outputs)
        try manager.message("RELOADING=1")
        try manager.message("READY=1")
        // New outputs exist before the service manager is told that the program is ready.
        #expect(access(home.file("comes"), F_OK) == 0)
      }
      #expect(try run.feed.finish().end.status == 0)
      try manager.message("STOPPING=1")
      let states = manager.messages.flatMap { $0.split(separator: "\n") }.filter {
        !$0.hasPrefix("STATUS=") && !$0.hasPrefix("MONOTONIC_USEC=")
      }
      #expect(states == ["READY=1", "RELOADING=1", "READY=1", "RELOADING=1", "READY=1", "STOPPING=1"])
      #expect(manager.messages.filter { $0.contains("MONOTONIC_USEC=") }.count == 2)
    }
  }

  @Test func `the status tells of outputs that are draining, waiting and new`() async throws {
    try await onOwnThread {
      let (pipe, socket) = (home.file("pipe"), home.file("status"))
      try #require(mkfifo(pipe, 0o600) == 0)
      let reader = open(pipe, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
      defer { close(reader) }
      func stuck(_ format: String) -> String { "stuck: {file: \(pipe), format-text: \"\(format)\"}" }
      let run = try ConfiguredFeed(
        home.file("it.yaml"), process: "drain: 60s, status-socket: \(socket)", [file("stays"), stuck("%U")],
        first: home.file("stays"))
      // More than a pipe holds.
      for _ in 0..<20 {
        run.feed.send(50)
        try run.feed.waitForAll { () throws(SupportError) in try readText(home.file("stays")) }
      }
      try run.reload([file("stays"), stuck("%U x"), file("comes")])
      try run.sendUntil("read again: stuck changed; comes new")
      func states() throws -> [String] {
        let document = try StatusTests.document(socket)
        let outputs = document["outputs"] as? [[String: Any]] ?? []
        return outputs.map { "\($0["name"] ?? "") \($0["state"] ?? "")" }
      }
      let expected = ["stays running", "stuck opening", "comes running", "stuck draining"]
      var found: [String] = []
      _ = try poll(until: .after(.seconds(30))) {
        found = (try? states()) ?? []
        return found == expected
      }
      #expect(found == expected)
      var text: [UInt8] = []
      var buffer = [UInt8](repeating: 0, count: 1 << 16)
      _ = try poll(every: .milliseconds(2), until: .after(.seconds(60))) {
        while case let count = read(reader, &buffer, buffer.count), count > 0 { text += buffer[..<count] }
        found = (try? states()) ?? []
        return found == ["stays running", "stuck running", "comes running"]
      }
      #expect(found == ["stays running", "stuck running", "comes running"])
      #expect(run.count("stuck (ended): seen=") == 1)
      let ended = try StatusTests.document(socket)["ended_outputs"] as? [String: Any]
      #expect(ended?["count"] as? Int == 1)
      run.feed.send(5)
      let last = try #require(run.feed.requested.last)
      _ = try poll(every: .milliseconds(2), until: .after(.seconds(60))) {
        while case let count = read(reader, &buffer, buffer.count), count > 0 { text += buffer[..<count] }
        return String(decoding: text.suffix(1000), as: UTF8.self).contains("\(last) x\n")
      }
      #expect(try run.feed.finish().end.status == 0)
      let paths = String(decoding: text, as: UTF8.self).split(separator: "\n").map {
        String($0.prefix { $0 != " " })
      }
      #expect(paths.filter { $0 != "/attach" } == run.feed.requested)
    }
  }

  @Test func `a process that has limited itself says what it can't open any more`() async throws {
    try await onOwnThread {
      for name in ["logs", "other"] { mkdir(home.file(name), 0o755) }
      let stays = "stays: {file: \(home.file("logs/stays")), format-text: \"%U\"}"
      let run = try ConfiguredFeed(
        home.file("it.yaml"), process: "sandbox: yes", [stays], first: home.file("logs/stays"),
        environment: ["SPILLWAY_VERBOSE": "1"])
      let isLimited = run.feed.messages.text.contains("sandbox: Landlock, interface")
      // Another file beneath the same directory is allowed; the configuration file itself was replaced by
      // another one.
      try run.reload([stays, "fine: {file: \(home.file("logs/fine")), format-text: \"%U\"}"])
      try run.sendUntil("read again: fine new")
      try run.reload([stays, "other: {file: \(home.file("other/log")), format-text: \"%U\"}"])
      if isLimited {
        try run.sendUntil("goes on")
        #expect(
          run.count(
            "other: \(home.file("other")) can't be written: the process has limited itself to what it needed at its start; a restart changes that"
          ) == 1, "\(run.feed.messages.text)")
        #expect(access(home.file("other/log"), F_OK) != 0)
      } else {
        try run.sendUntil("read again: other new; fine removed")
      }
      #expect(try run.feed.finish().end.status == 0)
    }
  }

  @Test(.enabled(if: geteuid() == 0))
  func `another user than at the start says what it may not open`() async throws {
    try await onOwnThread {
      for name in ["logs", "closed"] { mkdir(home.file(name), 0o700) }
      chown(home.file("logs"), 65534, 65534)
      let stays = "stays: {file: \(home.file("logs/stays")), format-text: \"%U\"}"
      let process = "user: nobody, sandbox: no"
      let run = try ConfiguredFeed(
        home.file("it.yaml"), process: process, [stays], first: home.file("logs/stays"))
      try run.reload([stays, "other: {file: \(home.file("closed/log")), format-text: \"%U\"}"])
      try run.sendUntil("goes on")
      #expect(run.count("other: Can't open output file (Permission denied): \(home.file("closed/log"))") == 1)
      try run.reload([stays, "fine: {file: \(home.file("logs/fine")), format-text: \"%U\"}"])
      try run.sendUntil("read again: fine new")
      #expect(try run.feed.finish().end.status == 0)
    }
  }
}
