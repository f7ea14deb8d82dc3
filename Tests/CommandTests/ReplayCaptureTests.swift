import Glibc
import Shipping
import TestSupport
import Testing

/// `spillway replay` of logs of 2.0 to 3.0, of a server's leftovers, and of several logs.
@Suite(.needs(.spillway), .serialized, .limit(minutes: 10))
struct ReplayCaptureTests {
  private static let oldVersions = ["2.1", "3.0"]

  private static func old(_ version: String) throws -> String {
    try Fixture.named("old-\(version)").path("capture.vsl")
  }

  private let home: TemporaryDirectory

  init() throws { home = try TemporaryDirectory() }

  // MARK: Logs of 2.0 to 3.0

  @Test(arguments: oldVersions)
  func `of an old log, what is made of it is played`(version: String) async throws {
    try await onOwnThread {
      let capture = try Self.old(version)
      let played = try PlayedLog.finished(capture)
      for format in [[], ["-b"], ["-F", "%{Varnish:vxid}x %h %r %s %b %D %{Varnish:hitmiss}x"]] {
        let format = format + ["--compat", "7.1"]
        let lines = try PlayedLog.shown("ncsa", of: capture, format)
        #expect(try played.shown("ncsa", format) == lines && !lines.isEmpty)
      }
      for grouping in ["vxid", "request", "session"] {
        // The replayed log has the format of a current release, for which tools show some records
        // differently.
        let grouping = ["-g", grouping, "--compat", "7.3"]
        let groups = try PlayedLog.shown("log", of: capture, grouping)
        #expect(try played.shown("log", grouping) == groups && !groups.isEmpty, "\(grouping)")
      }
      // The server's own records, which belong to no request, are there as well.
      let converted = home.file("converted.vsl")
      let result = try ProcessRunner.run(
        try Subject.found().path, "convert", capture, "--to", "vsl", "--as", "7.3", "-w", converted)
      try #require(result.status == 0)
      let records = try PlayedLog.shown("log", of: converted, ["-g", "raw"])
      #expect(try played.shown("log", ["-g", "raw"]) == records)
    }
  }

  @Test(.needs(.program("varnishncsa")), arguments: oldVersions)
  func `the tools of 7.1 show an old log that was played for them`(version: String) async throws {
    try await onOwnThread {
      let capture = try Self.old(version)
      let played = try PlayedLog.finished(capture, ["--numbering", "7.1"])
      let lines = try PlayedLog.shown("ncsa", of: capture, ["--compat", "7.1"])
      #expect(try ProcessRunner.run("varnishncsa", "-d", "-n", played.directory).text == lines)
      let groups = try ProcessRunner.run("varnishlog", "-d", "-g", "request", "-n", played.directory).text
      let before = ReplayCommandTests.renumbered(
        try PlayedLog.shown("log", of: capture, ["-g", "request", "--compat", "7.1"]))
      let after = ReplayCommandTests.renumbered(groups)
      #expect(after.text == before.text)
      #expect(after.heads.count == before.heads.count && after.heads.allSatisfy { $0 < 1 << 30 })
    }
  }

  @Test(arguments: oldVersions, [[], ["--layout", "32"]])
  func `each time an old log is played, its transactions have numbers of their own`(
    version: String, layout: [String]
  ) async throws {
    try await onOwnThread {
      let capture = try Self.old(version)
      let played = try PlayedLog.finished(capture, ["--times", "3"] + layout)
      let heads = try played.shown("log", ["-g", "vxid"]).split(separator: "\n").filter { $0.hasPrefix("*") }
      let once = try PlayedLog.shown("log", of: capture, ["-g", "vxid"]).split(separator: "\n")
        .filter { $0.hasPrefix("*") }
      #expect(heads.count == 3 * once.count && Set(heads).count == heads.count)
      if layout.isEmpty { #expect(heads.prefix(once.count) == once[...], "the first time they are as made") }
      let grouping = ["-g", "request", "--compat", "7.3"]
      let groups = ReplayCommandTests.renumbered(try played.shown("log", grouping)).text
      let group = ReplayCommandTests.renumbered(try PlayedLog.shown("log", of: capture, grouping)).text
      #expect(groups.hasPrefix(group))
      #expect(groups.split(separator: "\n").count == 3 * group.split(separator: "\n").count)
    }
  }

  @Test func `an old log keeps its pace, and its times can be moved`() async throws {
    try await onOwnThread {
      let began = Double(time(nil))
      let played = try PlayedLog(
        try Self.old("3.0"), ["--speed", "10x", "--shift-times", "--start-delay", "0", "--linger", "1h"])
      try played.message(containing: "transactions=")
      // The capture took 15 s.
      let seconds = try #require(played.figure("seconds"))
      #expect(seconds >= 1.4, "\(seconds)")
      let times = try played.shown("ncsa", ["--compat", "7.1", "-F", "%{%s}t"]).split(separator: "\n")
        .compactMap { Double($0) }
      #expect(times.count > 500 && times.allSatisfy { $0 >= began - 1 && $0 <= Double(time(nil)) + 1 })
    }
  }

  // MARK: What is left of a server

  @Test(arguments: ["7.1", "8.0"])
  func `a ring, a copied directory and an archive are played as they are read`(version: String) async throws {
    try await onOwnThread {
      let copy = try CopiedLogTests.Copy(version)
      let lines = String(decoding: copy.lines, as: UTF8.self)
      let tar = home.file("copy.tar")
      try #require(try ProcessRunner.run("tar", "-cf", tar, "-C", copy.directory, ".").status == 0)
      let zipped = home.file("copy.tar.gz")
      try writeFile(zipped, try Compressor.gzip.compress(try readFile(tar)))
      for input in [copy.ring, copy.directory, tar, zipped] {
        let played = try PlayedLog.finished(input)
        #expect(try played.shown("ncsa") == lines)
        #expect(played.said.contains { $0.contains("hold older records") })
        #expect(try played.end().status == 0)
      }
      let twice = try PlayedLog.finished(copy.directory, ["--times", "2"])
      #expect(try twice.shown("ncsa") == lines + lines)
      #expect(twice.said.count { $0.contains("hold older records") } == 1)
    }
  }

  @Test func `a copied log isn't replaced by what is played of it`() async throws {
    try await onOwnThread {
      let copy = try CopiedLogTests.Copy("7.1")
      let before = try readFile(copy.ring)
      for input in [copy.directory, copy.directory + "/.", copy.ring] {
        let result = try ProcessRunner.run(try PlayedLog.command([input, "-n", copy.directory]))
        #expect(result.status == 1)
        #expect(
          result.errorText
            == "spillway: \(input): would be replaced by the log that is made in \(copy.directory); "
            + "expected another directory\n")
      }
      #expect(try readFile(copy.ring) == before)
    }
  }

  @Test func `salvaged, the whole transactions of a damaged log are played, and what is lost is said`()
    async throws
  {
    try await onOwnThread {
      var bytes = try Fixture.named("7.1").bytes("capture.vsl")
      bytes.replaceSubrange(80_000..<80_200, with: [UInt8](repeating: 0, count: 200))
      let path = home.file("damaged")
      try writeFile(path, bytes)
      let read = try ProcessRunner.run(
        Command(try Subject.found().path, ["ncsa", "--compat", "7.1", "-r", path, "--salvage"]))
      let played = try PlayedLog.finished(path, ["--salvage"])
      // A log that is ended at once also shows transactions without an end.
      #expect(try played.shown("ncsa", ["--compat", "7.1"]) == read.text)
      #expect(played.said.dropFirst().dropLast().joined(separator: "\n") + "\n" == read.errorText)
      #expect(try played.end().status == 5)
      let plain = try PlayedLog.finished(path)
      #expect(try plain.end().status == 1)
    }
  }

  // MARK: Several

  private func timedLogs() throws -> [String] {
    try zip(ConvertTests.timedLogs, ["a", "b"]).map { log, name in
      try log.write(to: home.file(name))
      return home.file(name)
    }
  }

  @Test func `several logs are played one after the other, or in the order of their times`() async throws {
    try await onOwnThread {
      let logs = try timedLogs()
      let oneByOne = try PlayedLog.finished(logs[1], [logs[0]])
      #expect(try oneByOne.shown("ncsa", ["-F", "%U"]) == "/b2\n/b7\n/b3-late\n/a1\n/a5\n/a-none\n/a9\n")
      for layout in ["32", "64"] {
        let merged = try PlayedLog.finished(
          logs[0], [logs[1], "--merge", "--layout", layout, "--times", "2"])
        #expect(try merged.shown("ncsa", ["-F", "%U"]) == ConvertTests.merged + ConvertTests.merged)
        let numbers = try merged.shown("ncsa", ["-F", "%{Varnish:vxid}x"]).split(separator: "\n")
        #expect(numbers.count == 14 && Set(numbers).count == 14)
      }
    }
  }

  @Test func `logs of several versions are played into one`() async throws {
    try await onOwnThread {
      let logs = [try Self.old("3.0"), try Fixture.named("7.1").path("capture.vsl"), try Self.old("2.1")]
      for merge in [[], ["--merge"]] {
        var reading = Command(
          try Subject.found().path, ["ncsa", "--compat", "7.1"] + logs.flatMap { ["-r", $0] } + merge)
        reading.environment = ["SPILLWAY_COMPAT": nil]
        let lines = try ProcessRunner.run(reading).text
        let played = try PlayedLog.finished(logs[0], logs.dropFirst() + merge)
        #expect(try played.shown("ncsa", ["--compat", "7.1"]) == lines && !lines.isEmpty)
      }
    }
  }

  @Test func `what is no log is said, and isn't in the way of others`() async throws {
    try await onOwnThread {
      let logs = try timedLogs()
      let path = home.file("no-log")
      try writeFile(path, "GET / HTTP/1.1\r\n".utf8)
      for merge in [[], ["--merge"]] {
        let played = try PlayedLog.finished(logs[0], [path, logs[1]] + merge)
        let lines = try played.shown("ncsa", ["-F", "%U"])
        #expect(merge.isEmpty ? lines.hasSuffix("/a9\n/b2\n/b7\n/b3-late\n") : lines == ConvertTests.merged)
        #expect(played.said.contains { $0.contains(path) })
        #expect(try played.end().status == 1)
      }
      // A missing log is noticed before anything is made.
      let missing = try ProcessRunner.run(
        try PlayedLog.command([logs[0], home.file("missing"), "-n", home.file("live")]))
      #expect(missing.status == 1 && missing.errorText.contains("missing"))
      #expect(access(home.file("live"), F_OK) != 0)
    }
  }
}
