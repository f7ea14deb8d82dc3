import Glibc
import Shipping
import TestSupport
import Testing

/// `spillway replay`: readers of the replayed log see what was captured.
@Suite(.needs(.spillway), .limit(minutes: 10))
struct ReplayCommandTests {
  static let versions = ["7.1", "8.0"]

  private static func capture(_ version: String) throws -> String {
    try Fixture.named("log-\(version)").path("sessions.vsl")
  }

  /// The directory for a test's own files.
  private let home: TemporaryDirectory

  init() throws { home = try TemporaryDirectory() }

  /// Makes or replaces a captured log from these bytes.
  private func captured(_ bytes: [UInt8]) throws -> String {
    try writeFile(home.file("capture.vsl"), bytes)
    return home.file("capture.vsl")
  }

  // MARK: What readers see

  @Test(arguments: versions)
  func `lines and records are those of the captured log`(version: String) async throws {
    try await onOwnThread {
      let capture = try Self.capture(version)
      let played = try PlayedLog.finished(capture)
      for format in [
        [], ["-b"], ["--format", "json"], ["-g", "request", "-F", "%{VSL:Begin}x %{X-Varnish}o"],
      ] {
        let lines = try PlayedLog.shown("ncsa", of: capture, format)
        #expect(try played.shown("ncsa", format) == lines && !lines.isEmpty)
      }
      for grouping in ["raw", "vxid", "request", "session"] {
        let groups = try PlayedLog.shown("log", of: capture, ["-g", grouping])
        #expect(try played.shown("log", ["-g", grouping]) == groups && !groups.isEmpty, "\(grouping)")
      }
    }
  }

  @Test(.needs(.program("varnishncsa")))
  func `the tools of 7.1 show the same of 32-bit logs, also of those that had 64`() async throws {
    try await onOwnThread {
      for (capture, layout) in [
        (try Self.capture("7.1"), []), (try Self.capture("8.0"), ["--layout", "32"]),
      ] {
        let played = try PlayedLog.finished(capture, layout)
        let lines = try PlayedLog.shown("ncsa", of: capture)
        #expect(try ProcessRunner.run("varnishncsa", "-d", "-n", played.directory).text == lines)
        let records = try played.shown("log", ["-g", "raw"])
        #expect(
          try ProcessRunner.run("varnishlog", "-d", "-n", played.directory, "-g", "raw").text == records)
      }
    }
  }

  @Test func `a reader that is there in time gets all, even if the log goes at once`() async throws {
    try await onOwnThread {
      let pipe = home.file("pipe")
      try #require(mkfifo(pipe, 0o600) == 0)
      // Opened for reading as well, so that opening doesn't wait and the reader sees no end before this is
      // closed.
      let descriptor = open(pipe, O_RDWR | O_CLOEXEC)
      func feed(_ bytes: some Sequence<UInt8>) {
        let bytes = Array(bytes)
        #expect(write(descriptor, bytes, bytes.count) == bytes.count)
      }
      // Enough for the program to make a log.
      feed(LogFileBuilder(lines: "1 c Begin sess 0 HTTP/1\n1 c End").bytes)
      let played = try PlayedLog(pipe, ["--max", "--start-delay", "0", "--linger", "0"])
      let format = ["-F", "%r %s %b", "--compat", "7.1"]
      let reader = try ChildProcess(try Subject.found().ncsa(["-n", played.directory] + format))
      let output = try #require(reader.output)
      // The reader begins at the log's end at that moment, so marks are written until it has seen one.
      let mark = LogFileBuilder(lines: "2 c Begin req 1 rxreq\n2 c ReqURL /attach\n2 c End")
      let isThere = try poll(until: .after(.seconds(30))) { () throws(SupportError) in
        feed(mark.bytes.dropFirst(SampleLayout.twoWord.fileMagic.count))
        return output.text.contains("/attach")
      }
      try #require(isThere)
      // All bytes fit into a pipe.
      feed(try readFile(try Self.capture("7.1")).dropFirst(SampleLayout.twoWord.fileMagic.count))
      close(descriptor)
      #expect(try played.child.wait(by: .after(.seconds(60))).status == 0)
      try #require(reader.errorOutput).line(containing: "Log abandoned", by: .after(.seconds(30)))
      try reader.terminate(by: .after(.seconds(10)))
      try output.waitForEnd(by: .after(.seconds(10)))
      let lines = output.text.split(separator: "\n").filter { !$0.contains("/attach") }
      let expected = try PlayedLog.shown("ncsa", of: try Self.capture("7.1"), format)
      #expect(lines == expected.split(separator: "\n"))
    }
  }

  @Test func `random logs come out byte for byte`() async throws {
    try await onOwnThread {
      var random = SeededGenerator()
      for _ in 0..<12 {
        var builder = LogFileBuilder()
        for _ in 0..<8 { for record in RandomLog.records(&random) { builder.add(record) } }
        let path = try captured(builder.bytes)
        let played = try PlayedLog.finished(path)
        _ = try played.shown("log", ["-g", "raw", "-w", home.file("copy")])
        #expect(try readFile(home.file("copy")) == builder.bytes, "\(random)")
        let groups = try PlayedLog.shown("log", of: path, ["-g", "raw"])
        #expect(try played.shown("log", ["-g", "raw"]) == groups, "\(random)")
      }
    }
  }

  @Test func `records as long as can be, of any side and of no known tag come through`() async throws {
    try await onOwnThread {
      for layout in SampleLayout.allCases {
        var builder = LogFileBuilder(layout, lines: "2 c Begin req 1 rxreq\n2 c ReqURL /\n")
        for count in [0, 1, 4094, 4095, 16_383, 16_384, 65_534] {
          builder.add(
            SampleRecord(
              2, .client, tag: builder.tags["VCL_Log"], bytes: [UInt8](repeating: 0x61, count: count)))
          builder.add(SampleRecord(2, .backend, tag: 200, bytes: [1, 0, 0xFF], terminated: false))
        }
        builder.add(lines: "0 - CLI Rd ping\n0 c CLI Wr 200\n2 c End")
        let path = try captured(builder.bytes)
        let played = try PlayedLog.finished(path)
        _ = try played.shown("log", ["-g", "raw", "-w", home.file("copy")])
        #expect(try readFile(home.file("copy")) == builder.bytes)
        // Like `spillway log`, the program reports unknown tags.
        #expect(played.said.contains { $0.hasSuffix("a record of tag 200, which is not known (7 in all)") })
        #expect(played.figure("transactions") == 1 && played.figure("truncated") == nil)
        #expect(try played.end().status == 1)
      }
    }
  }

  @Test func `what is too long for a small log is cut and counted`() async throws {
    try await onOwnThread {
      var builder = LogFileBuilder()
      builder.add(2, .client, "VCL_Log", String(repeating: "a", count: 60_000))
      let path = try captured(builder.bytes)
      let played = try PlayedLog.finished(path, ["--vsl-space", "64K"])
      #expect(played.figure("truncated") == 1)
      #expect(try played.shown("log", ["-g", "raw"]).utf8.count > 7000)
      #expect(try played.end().status == 0)
    }
  }

  // MARK: Pace

  @Test func `a rate is kept, and so are the times of the records`() async throws {
    try await onOwnThread {
      let capture = try Self.capture("7.1")
      let steady = try PlayedLog(
        capture, ["--rate", "100", "--times", "5", "--start-delay", "0", "--linger", "0"])
      try steady.message(containing: "transactions=160 ")
      // There are 159 pauses of 10 ms; a busy machine may take longer, but never less.
      let seconds = try #require(steady.figure("seconds"))
      #expect(seconds >= 1.589 && seconds < 4, "\(seconds)")
      let recorded = try PlayedLog(capture, ["--speed", "10x", "--start-delay", "0", "--linger", "0"])
      try recorded.message(containing: "transactions=32 ")
      // The capture took 10.9 s.
      let taken = try #require(recorded.figure("seconds"))
      #expect(taken >= 1.05 && taken < 4, "\(taken)")
    }
  }

  @Test(arguments: [SIGINT, SIGTERM, SIGHUP])
  func `a signal ends it at once, with the accounting line, and the log goes`(signal: Int32) async throws {
    try await onOwnThread {
      let played = try PlayedLog(
        try Self.capture("7.1"), ["--speed", "0.0001x", "--start-delay", "0", "--linger", "1h"])
      let began = try poll(until: .after(.seconds(20))) { () throws(SupportError) in
        try played.shown("log", ["-g", "raw"]).contains("Begin")
      }
      try #require(began)
      played.child.signal(signal)
      #expect(try played.child.wait(by: .after(.seconds(10))).status == 0)
      try played.message(containing: "transactions=")
      #expect(played.said.count == 2)
      let reader = try ProcessRunner.run(
        Command(try Subject.found().path, ["ncsa", "-n", played.directory, "-t", "0"]))
      #expect(reader.status == 1 && reader.errorText.contains("no server has published a log there"))
    }
  }

  @Test func `a signal ends it while it waits for the beginning of its input, too`() async throws {
    try await onOwnThread {
      let pipe = home.file("pipe")
      try #require(mkfifo(pipe, 0o600) == 0)
      let child = try ChildProcess(try PlayedLog.command([pipe, "-n", home.file("live")]))
      var descriptor: Int32 = -1
      let isOpen = try poll(until: .after(.seconds(20))) { () throws(SupportError) in
        descriptor = open(pipe, O_WRONLY | O_NONBLOCK | O_CLOEXEC)
        return descriptor >= 0
      }
      try #require(isOpen)
      defer { close(descriptor) }
      child.signal(SIGTERM)
      #expect(try child.wait(by: .after(.seconds(10))).signal == SIGTERM)
    }
  }

  @Test func `SIGUSR2 asks how far it is`() async throws {
    try await onOwnThread {
      let played = try PlayedLog(try Self.capture("7.1"), ["--max", "--start-delay", "0", "--linger", "1h"])
      try played.message(containing: "transactions=32 ")
      played.child.signal(SIGUSR2)
      try played.message(containing: "transactions=32 ")
      #expect(try played.end().status == 0)
    }
  }

  // MARK: Changes

  /// Replaces the transaction numbers in a text by numbers in the order of their first occurrence.
  ///
  /// - Returns: the text, and the original numbers of the groups.
  static func renumbered(_ text: String) -> (text: String, heads: Set<UInt64>) {
    let tags: Set<Substring> = ["Begin", "Link", "Hit", "HitMiss", "HitPass"]
    var numbers: [Substring: Int] = [:]
    var heads: Set<UInt64> = []
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
      let fields = line.split(separator: " ", omittingEmptySubsequences: true)
      guard fields.count > 1,
        fields[0].hasPrefix("*") || tags.contains(fields[1]) || line.contains("X-Varnish:")
      else { return String(line) }
      if fields[0].hasPrefix("*"), let head = fields.last.flatMap({ UInt64($0) }) { heads.insert(head) }
      return fields.map { field in
        guard field.allSatisfy(\.isNumber), field != "0" else { return String(field) }
        let number = numbers[field] ?? numbers.count
        numbers[field] = number
        return "#\(number)"
      }.joined(separator: " ")
    }
    return (lines.joined(separator: "\n"), heads)
  }

  @Test(arguments: versions, ["request", "session"])
  func `with new numbers the same belongs together`(version: String, grouping: String) async throws {
    try await onOwnThread {
      let capture = try Self.capture(version)
      let played = try PlayedLog.finished(capture, ["--new-vxids"])
      // In `Hit` records, the numbers stand beside times, which have decimal points and stay.
      let before = Self.renumbered(try PlayedLog.shown("log", of: capture, ["-g", grouping]))
      let after = Self.renumbered(try played.shown("log", ["-g", grouping]))
      #expect(before.text == after.text)
      #expect(before.heads.isDisjoint(with: after.heads) && before.heads.count > 20)
    }
  }

  @Test(arguments: versions)
  func `each time it is played, transactions have numbers of their own`(version: String) async throws {
    try await onOwnThread {
      let capture = try Self.capture(version)
      let played = try PlayedLog.finished(capture, ["--times", "4"])
      #expect(played.figure("passes") == 4)
      let heads = try played.shown("log", ["-g", "vxid"]).split(separator: "\n").filter { $0.hasPrefix("*") }
      let once = try PlayedLog.shown("log", of: capture, ["-g", "vxid"]).split(separator: "\n")
        .filter { $0.hasPrefix("*") }
      #expect(heads.count == 4 * once.count && Set(heads).count == heads.count)
      #expect(heads.prefix(once.count) == once[...], "the first time they are as captured")
    }
  }

  @Test func `an endless loop goes on until it is ended, and an empty log is no reason for one`() async throws
  {
    try await onOwnThread {
      let played = try PlayedLog(
        try Self.capture("7.1"), ["--max", "--loop", "--start-delay", "0", "--linger", "1h"])
      let turned = try poll(until: .after(.seconds(20))) { () throws(SupportError) in
        played.child.signal(SIGUSR2)
        try played.message(containing: "transactions=")
        return (played.figure("passes") ?? 0) >= 10
      }
      #expect(turned)
      #expect(try played.end().status == 0)
      let path = try captured(SampleLayout.twoWord.fileMagic)
      let empty = try PlayedLog(path, ["--loop", "--start-delay", "0", "--linger", "0"])
      #expect(try empty.child.wait(by: .after(.seconds(20))).status == 0)
    }
  }

  /// The absolute times in a text of records, in order.
  private static func times(_ text: String) -> [Double] {
    text.split(separator: "\n").filter { $0.contains(" Timestamp ") }.compactMap { line in
      line.split(separator: " ").compactMap { Double($0) }.first { $0 > 1e9 }
    }
  }

  @Test func `times are moved to when they are played, and go on from one time to the next`() async throws {
    try await onOwnThread {
      var builder = LogFileBuilder()
      for number in 0..<20 {
        let vxid = UInt64(2 + number)
        builder.add(lines: "\(vxid) c Begin req 1 rxreq")
        for label in ["Start", "Resp"] {
          let time = 1_600_000_000 + number * 10 + (label == "Resp" ? 1 : 0)
          builder.add(vxid, .client, "Timestamp", "\(label): \(time).250000 0.000000 0.000000")
        }
        builder.add(vxid, .client, "End")
      }
      let path = try captured(builder.bytes)
      let began = Double(time(nil))
      let played = try PlayedLog.finished(path, ["--shift-times", "--times", "3"])
      let ended = Double(time(nil)) + 1
      let times = Self.times(try played.shown("log", ["-g", "raw"]))
      try #require(times.count == 120)
      #expect(times.allSatisfy { (began - 1...ended).contains($0) })
      for index in stride(from: 0, to: 120, by: 2) {
        #expect(abs(times[index + 1] - times[index] - 1) < 1e-5, "what was a second long still is")
        if index > 0 { #expect(times[index] >= times[index - 2] - 1e-5) }
      }
      // At the recorded pace, times keep their distances; at 100 times the speed, ten seconds become a tenth
      // of a second.
      let fast = try PlayedLog(
        path, ["--shift-times", "--speed", "100x", "--start-delay", "0", "--linger", "1h"])
      try fast.message(containing: "transactions=20 ")
      let ends = Self.times(try fast.shown("log", ["-g", "raw", "-I", "Timestamp:Resp"]))
      for (one, next) in zip(ends, ends.dropFirst()) { #expect(abs(next - one - 0.1) < 1e-4) }
    }
  }

  @Test func `logs are converted where that is possible, and what is left out is counted`() async throws {
    try await onOwnThread {
      let capture = try Self.capture("7.1")
      for (version, layout) in [("8.0", SampleLayout.threeWord), ("9.0", .threeWord), ("4.1", .twoWord)] {
        let played = try PlayedLog.finished(capture, ["--numbering", version])
        _ = try played.shown("log", ["-g", "raw", "-w", home.file("copy")])
        #expect(try readFile(home.file("copy")).starts(with: layout.fileMagic))
        let rules = ["--compat", "7.1"]
        #expect(try played.shown("ncsa", rules) == PlayedLog.shown("ncsa", of: capture, rules))
      }
      var builder = LogFileBuilder(lines: "2 c Begin req 1 rxreq\n2 c ReqURL /\n")
      builder.add(lines: "2 b BackendReuse 20 be\n2 c End")
      let path = try captured(builder.bytes)
      let played = try PlayedLog.finished(path, ["--layout", "64"])
      #expect(played.figure("left_out") == 1 && played.figure("records") == 3)
    }
  }

  @Test func `tags of 4.0, which no live log has, become those of 4.1`() async throws {
    try await onOwnThread {
      var builder = LogFileBuilder()
      for (tag, text) in [
        (74, "req 1 rxreq"), (14, "/old"), (78, "Resp: 1.5 1 1"), (82, "1 2 3 4 5 6"), (75, ""),
      ] {
        builder.add(SampleRecord(2, .client, tag: UInt8(tag), bytes: Array(text.utf8)))
      }
      let path = try captured(builder.bytes)
      let shown = try PlayedLog.shown("log", of: path, ["-g", "raw"])
      #expect(shown.contains("BereqAcct"))
      #expect(try PlayedLog.finished(path).shown("log", ["-g", "raw"]) == shown)
    }
  }

  @Test func `numbers that 32 bits have no room for get others, and belong together as before`() async throws
  {
    try await onOwnThread {
      let first = UInt64(1) << 33 + 7
      var builder = LogFileBuilder(.threeWord, lines: "\(first) c Begin req 3 rxreq\n\(first) c ReqURL /a")
      builder.add(
        lines: "\(first) c Link bereq \(first + 1) fetch\n\(first) c RespHeader X-Varnish: \(first)")
      builder.add(
        lines: "\(first) c End\n\(first + 1) b Begin bereq \(first) fetch\n\(first + 1) b BereqURL /b")
      builder.add(lines: "\(first + 1) b End")
      let path = try captured(builder.bytes)
      let played = try PlayedLog.finished(path, ["--layout", "32"])
      let before = Self.renumbered(try PlayedLog.shown("log", of: path, ["-g", "request"]))
      let after = Self.renumbered(try played.shown("log", ["-g", "request"]))
      #expect(before.text == after.text && before.text.contains("BereqURL"))
      #expect(after.heads.count == 2 && after.heads.allSatisfy { $0 < 1 << 30 })
    }
  }

  // MARK: Trouble

  @Test func `what is damaged is said as everywhere, after what stands before it was played`() async throws {
    try await onOwnThread {
      let whole = try readFile(try Self.capture("7.1"))
      var spoilt = whole
      spoilt.replaceSubrange(8000 / 4 * 4..<20_000, with: [UInt8](repeating: 0, count: 12_000))
      for bytes in [Array(whole.dropLast(7)), spoilt, Array("VSL\0garbage!".utf8)] {
        let path = try captured(bytes)
        var reading = try Subject.found().log(["-g", "raw", "-r", path])
        reading.environment = ["SPILLWAY_COMPAT": nil]
        let read = try ProcessRunner.run(reading)
        let played = try PlayedLog.finished(path, ["--times", "3"])
        #expect(try played.shown("log", ["-g", "raw"]) == read.text)
        #expect(played.said.dropFirst().dropLast().joined(separator: "\n") + "\n" == read.errorText)
        #expect(read.status == 1)
        #expect(try played.end().status == 1)
      }
    }
  }

  @Test func `what is no log is played nowhere`() async throws {
    try await onOwnThread {
      for bytes in [[], Array("VSL".utf8), Array("GET / HTTP/1.1\r\n".utf8)] as [[UInt8]] {
        let path = try captured(bytes)
        let read = try ProcessRunner.run(try Subject.found().log(["-r", path]))
        let result = try ProcessRunner.run(try PlayedLog.command([path, "-n", home.file("live")]))
        #expect(result.status == 1 && result.errorText == read.errorText)
        #expect(access(home.file("live"), F_OK) != 0)
      }
    }
  }

  @Test func `a compressed log and a pipe are as good as a file`() async throws {
    try await onOwnThread {
      let bytes = try readFile(try Self.capture("8.0"))
      let lines = try PlayedLog.shown("ncsa", of: try Self.capture("8.0"))
      let path = try captured(bytes)
      try #require(try ProcessRunner.run("gzip", path).status == 0)
      #expect(try PlayedLog.finished(path + ".gz", ["--times", "2"]).shown("ncsa") == lines + lines)
      var piped = try PlayedLog.command([
        "-", "-n", home.file("live"), "--max", "--start-delay", "0", "--linger", "1h",
      ])
      piped.input = .bytes(bytes)
      let child = try ChildProcess(piped)
      try #require(child.errorOutput).line(containing: "transactions=", by: .after(.seconds(30)))
      let shown = try ProcessRunner.run(
        Command(try Subject.found().path, ["ncsa", "-d", "-n", home.file("live")]))
      #expect(shown.text == lines)
      try child.terminate(by: .after(.seconds(10)))
    }
  }

  @Test func `a place where somebody writes a log already is refused in one line`() async throws {
    try await onOwnThread {
      let capture = try Self.capture("7.1")
      let played = try PlayedLog.finished(capture)
      let second = try ProcessRunner.run(try PlayedLog.command([capture, "-n", played.directory]))
      #expect(second.status == 1)
      #expect(
        second.errorText
          == "spillway: \(played.directory): process \(played.child.identifier) is writing a log"
          + " there; end it, or give this log another directory\n")
      #expect(try played.shown("ncsa") == PlayedLog.shown("ncsa", of: capture), "the first goes on")
    }
  }

  @Test(arguments: [
    (["-n", ""], "-n: \"\" is no directory"), ([], "Missing -n option: where to make the log"),
    (["-", "-"], "-: standard input can be read once"),
    (["--max", "--rate", "5"], "Only one of --speed, --rate and --max can be chosen"),
    (["--loop", "--times", "5"], "Only one of --loop and --times can be chosen"),
    (["--rate", "0"], "--rate: \"0\" is not a number from 0.000001 to 1000000000000"),
    (["--rate", "nan"], "--rate: \"nan\" is not a number from 0.000001 to 1000000000000"),
    (["--speed", "tenx"], "--speed: \"tenx\" is not a number from 0.000001 to 1000000000000"),
    (["--times", "0"], "--times: \"0\" is not a number from 1 to 2147483647"),
    (["--layout", "48"], "--layout: \"48\" is neither 32 nor 64"),
    (["--numbering", "3.0"], "--numbering: \"3.0\" is not a Varnish version from 4.1 to 9.0"),
    (
      ["--numbering", "9.0", "--layout", "32"],
      "that version's logs don't have 32-bit numbers: 7.3 and newer have 64"
    ),
    (["--vsl-space", "1K"], "--vsl-space: \"1K\" is not a size from 64K to 4G"),
    (
      ["--linger", "soon"],
      "--linger: \"soon\" is not a time: expected a number, then ms, s, m, h, d or w (like 15m)"
    ),
    (
      ["--start-delay", "-1"],
      "--start-delay: \"-1\" is not a time: expected a number, then ms, s, m, h, d or w (like 15m)"
    ),
  ])
  func `a command line that makes no sense is answered by one line`(
    arguments: [String], expected: String
  ) async throws {
    try await onOwnThread {
      let place = arguments.contains("-n") || arguments.isEmpty ? [] : ["-n", home.file("live")]
      let result = try ProcessRunner.run(
        try PlayedLog.command([try Self.capture("7.1")] + place + arguments))
      #expect(result.status == 1)
      #expect(result.errorText == "spillway: \(expected)\n")
      #expect(access(home.file("live"), F_OK) != 0)
    }
  }

  @Test func `what can be read once only isn't played twice`() throws {
    let result = try ProcessRunner.run(try PlayedLog.command(["-", "--loop", "-n", home.file("live")]))
    #expect(result.status == 1)
    #expect(result.errorText == "spillway: -: only a file can be played more than once\n")
  }
}
