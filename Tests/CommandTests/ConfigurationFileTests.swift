import Glibc
import TestSupport
import Testing

/// Files for `spillway run`, and the output of `spillway check` for them.
@Suite(.needs(.spillway))
struct ConfigurationFileTests {
  private let home: TemporaryDirectory

  init() throws {
    home = try TemporaryDirectory()
    try writeFile(home.file("log"), OutputsTests.log.bytes)
  }

  private func spillway(_ arguments: [String], text: String) throws -> ProcessResult {
    try writeFile(home.file("it.yaml"), text.utf8)
    let inHome = ["-c", "cd \"$0\" && exec \"$@\"", home.path]
    var command = Command("/bin/sh", inHome + [try Subject.found().path] + arguments)
    command.environment = ["SPILLWAY_COMPAT": nil, "VARNISH_DEFAULT_N": nil, "VINYL_DEFAULT_N": nil]
    return try ProcessRunner.run(command)
  }

  @Test func `a run does what the file says`() throws {
    let result = try spillway(
      ["run", "--config", "it.yaml"],
      text: """
        input:
          file: log
        process:
          stats: yes
          spool-memory: 8M
        defaults:
          format-text: "%U %s"
          side: both
        outputs:
          everything:
            file: all.gz
            gzip: 9
          failed ones:
            exec: cat > failed.json
            format: json
            side: client
            query: [RespStatus >= 500, RespStatus == 404]
          binary:
            file: records.vsl
            show: records
            grouping: raw
            tags:
              - show: Req*
              - hide-matching: ReqURL:/client/1$
          pipe:
            standard-output:
            sample: 0.25
        """)
    #expect(result.status == 0, "\(result.errorText)")
    func alone(_ arguments: [String], as name: String = "ncsa") throws -> [UInt8] {
      try ProcessRunner.run(Command(Subject.found().path, [name, "-r", home.file("log")] + arguments)).output
    }
    #expect(
      try ProcessRunner.run("gzip", "-dc", home.file("all.gz")).output == alone(["-bc", "-F", "%U %s"]))
    #expect(
      try readFile(home.file("failed.json")) == alone(["--format", "json", "-c", "-q", "RespStatus >= 500"]))
    _ = try alone(
      ["-bc", "-g", "raw", "-i", "Req*", "-X", "ReqURL:/client/1$", "-w", home.file("alone.vsl")], as: "log")
    #expect(try readFile(home.file("records.vsl")) == readFile(home.file("alone.vsl")))
    #expect(result.output == (try alone(["-bc", "-F", "%U %s", "--sample", "1/4"])))
    let names = result.errorText.split(separator: "\n").map { $0.prefix { $0 != "=" } }
    #expect(
      names == ["everything", "failed ones", "binary", "pipe"].map { "spillway: \($0): seen" },
      "\(result.errorText)")
  }

  // MARK: Captured logs

  /// A file for `spillway run` that prints the URLs of its input.
  private static func printing(_ input: String) -> String {
    "input: {\(input)}\noutputs: {it: {standard-output: yes, format-text: \"%U\"}}\n"
  }

  @Test func `a list of logs is read one after the other, or in the order of its time`() throws {
    for (log, name) in zip(ConvertTests.timedLogs, ["a", "b"]) { try log.write(to: home.file(name)) }
    let run = ["run", "--config", "it.yaml"]
    let sorted = try spillway(run, text: Self.printing("file: [a, b], merge: yes"))
    #expect(sorted.text == ConvertTests.merged && sorted.status == 0, "\(sorted.errorText)")
    for input in ["file: [b, a], merge: no", "file: [b, a]"] {
      let result = try spillway(run, text: Self.printing(input))
      #expect(result.text == "/b2\n/b7\n/b3-late\n/a1\n/a5\n/a-none\n/a9\n", "\(result.errorText)")
    }
    // The format of each file is recognised by its contents.
    try #require(try ProcessRunner.run("gzip", home.file("b")).status == 0)
    let zipped = try spillway(run, text: Self.printing("file: [a, b.gz, log], merge: yes"))
    #expect(zipped.status == 0 && zipped.text.contains("/a1\n/b2\n"), "\(zipped.errorText)")
  }

  @Test func `a damaged log is salvaged, and what a log is can be said`() throws {
    let capture = try Fixture.named("7.1").path("capture.vsl")
    var bytes = try readFile(capture)
    bytes.replaceSubrange(80_000..<80_200, with: [UInt8](repeating: 0, count: 200))
    try writeFile(home.file("damaged"), bytes)
    for (path, setting, option) in [
      (home.file("damaged"), "salvage: yes", ["--salvage"]), (capture, "from: 4.0", ["--from", "4.0"]),
    ] {
      let plain = try spillway(["ncsa", "-r", path, "-F", "%U"], text: "")
      let asked = try spillway(["ncsa", "-r", path, "-F", "%U"] + option, text: "")
      #expect(asked.output != plain.output && !asked.errorText.isEmpty)
      let result = try spillway(
        ["run", "--config", "it.yaml"], text: Self.printing("file: \(path), \(setting)"))
      #expect(result.output == asked.output && result.status == asked.status)
      #expect(result.errorText == asked.errorText)
    }
  }

  @Test func `while logs are put in order, the file isn't read again, and that is said`() async throws {
    try await onOwnThread {
      let pipe = home.file("pipe")
      try #require(mkfifo(pipe, 0o600) == 0)
      let descriptor = open(pipe, O_RDWR | O_CLOEXEC)
      let log = ConvertTests.timedLogs[0].bytes
      try #require(write(descriptor, log, log.count) == log.count)
      try ConvertTests.timedLogs[1].write(to: home.file("b"))
      let text = Self.printing("file: [\(pipe), \(home.file("b"))], merge: yes")
      try writeFile(home.file("it.yaml"), text.utf8)
      let child = try ChildProcess(Command(Subject.found().path, ["run", "--config", home.file("it.yaml")]))
      let (output, messages) = (try #require(child.output), try #require(child.errorOutput))
      // The lines from the other file were held back until the pipe's contents were known.
      let hasBegun = try poll(until: .after(.seconds(30))) { output.text.hasPrefix("/a1\n/b2\n") }
      try #require(hasBegun)
      child.signal(SIGHUP)
      try messages.line(
        containing:
          "it.yaml: not read again while captured logs are put in order; the running configuration goes on",
        by: .after(.seconds(30)))
      close(descriptor)
      #expect(try child.wait(by: .after(.seconds(30))).status == 0)
      try output.waitForEnd(by: .after(.seconds(10)))
      #expect(output.text == ConvertTests.merged)
    }
  }

  // MARK: Mistakes

  /// A file's text, and all messages for it; `F` stands for its name.
  static let mistakes: [(String, [String])] = [
    (
      "",
      ["F:1:1: no value: expected a mapping, as in \"key: value\""]
    ),
    ("outputs: {}", ["F:1:10: outputs: no output: expected a name for each, and its settings"]),
    (
      "input: {file: \"-\"}\nprocess: {daemonize}\noutputs: {a: {file: \"-\"}}",
      [
        "F:1:8: input: standard input: expected another log, as the process daemonizes",
        "F:3:21: file: standard output: expected another target, as the process daemonizes",
      ]
    ),
    ("input: {}", ["F:1:1: outputs: no output: expected a name for each, and its settings"]),
    (
      "outputs: {a: {}}",
      ["F:1:14: a: no target: expected one of file, exec, socket, metrics and standard-output"]
    ),
    (
      """
      input:
        - instance: a
          attach-timeout: soon
        - file: x
          open-limit: 0
          instance: b
          compat: 1.0
          open-timeout: 2m
      outputs:
        a: {standard-output: }
      """,
      [
        "F:2:3: input: 2 inputs: expected one, as a run follows one log; several in one run aren't supported yet, so start one for each",
        "F:3:21: attach-timeout: \"soon\": expected a number of seconds or off",
        "F:4:11: file: a second source: expected only one of instance, memory-file and file",
        "F:5:17: open-limit: \"0\": expected a number above 0",
        "F:7:13: compat: \"1.0\" is not a Varnish version from 2.0 to 9.0",
        "F:8:19: open-timeout: \"2m\": expected a number of seconds",
      ]
    ),
    (
      """
      input:
        file: [a, "-", b, "-"]
        merge: maybe
        from: 1.0
      outputs:
        a: {standard-output: }
      """,
      [
        "F:2:21: file: \"-\": standard input can be read once",
        "F:3:10: merge: \"maybe\": expected yes or no, true or false, on or off",
        "F:4:9: from: \"1.0\" is not a Varnish version from 2.0 to 9.0",
      ]
    ),
    (
      """
      input:
        merge: yes
        salvage: yes
      outputs:
        a: {standard-output: }
      """,
      [
        "F:2:10: merge: only what was captured can be put in order: expected file beside it",
        "F:3:12: salvage: a live log has nothing to be salvaged: expected file beside it",
      ]
    ),
    (
      "input: {file: []}\noutputs: {a: {standard-output: }}",
      ["F:1:15: file: an empty list: expected a path at least"]
    ),
    (
      """
      input:
        file: [a, b]
        merge: yes
      process:
        resume: state
      defaults:
        show: records
      outputs:
        a:
          file: a
        b:
          file: b
          show: groups
          grouping: raw
        c:
          file: c
          show: groups
          grouping: session
      """,
      [
        "F:5:11: resume: logs that are merged: expected one log, as a checkpoint is of one",
        "F:7:9: show: in one binary log, transactions of several logs would have the same numbers: expected lines or groups, as the inputs are merged",
        "F:14:15: grouping: single records have no order: expected vxid, request or session, as the inputs are merged",
      ]
    ),
    (
      """
      proces: {}
      process:
        daemonize: yes
        drain: fast
        formats-dir: /nonexistent
        stats: 3
      defaults:
        gzip: 11
        verbose: yes
      outputs:
        a: {standard-output: }
        b: 7
        b: {}
      """,
      [
        "F:1:1: proces: no such setting: did you mean process?",
        "F:4:10: drain: \"fast\" is not a time: expected a number, then ms, s, m, h, d or w (like 15m)",
        "F:5:16: formats-dir: \"/nonexistent\": /nonexistent: No such file or directory",
        "F:6:10: stats: \"3\": expected yes or no, true or false, on or off",
        "F:8:9: gzip: \"11\" is not a number from 1 to 9",
        "F:9:12: verbose: no output takes it: expected an output that shows groups or records among them",
        "F:11:24: standard-output: standard output: expected another target, as the process daemonizes",
        "F:12:6: b: \"7\": expected a mapping, as in \"key: value\"",
        "F:13:3: b: a second time: expected it only once, as in line 12",
      ]
    ),
    (
      """
      defaults:
        query: Foo == 3
        spool-dir: /var/spool/s
      outputs:
        a:
          file: /tmp/a.log
          keep: 3
          format: jso
        b:
          file: /tmp//a.log
          keep: 3
          post-rotate-timeout: 1s
          format-text: "%z"
        c:
          exec: " "
          fromat: json
          show: groups
          tags:
            - show: Nix
            - hide: Foo
              show: Req*
            - {}
            - shwo: 3
          limit: 3
        d:
          standard-output:
          json: yes
          show: records
          query: [ReqURL ~ "("]
      """,
      [
        "F:2:10: query: \"Foo == 3\": Tag name matches zero tags (Pos 1)",
        "F:3:14: spool-dir: \"/var/spool/s\": this directory is another output's already",
        "F:7:11: keep: needs files that are finished: expected rotate-size or rotate-every beside it, or a time in the file's name",
        "F:8:13: format: jso: no such template; did you mean json?",
        "F:10:11: file: \"/tmp//a.log\": this file is another output's already",
        "F:11:11: keep: needs files that are finished: expected rotate-size or rotate-every beside it, or a time in the file's name",
        "F:12:26: post-rotate-timeout: needs a command: expected post-rotate beside it",
        "F:13:18: format-text: Unknown format specifier at: %z",
        "F:15:11: exec: \" \": expected a command",
        "F:16:5: fromat: no such setting: did you mean format?",
        "F:19:7: tags: \"Nix\" matches zero tags",
        "F:20:15: hide: a second rule in one item: expected an item for each, as in \"- show: Req*\"",
        "F:22:9: tags: no rule: expected one of show, hide, show-matching, hide-matching",
        "F:23:9: shwo: no such setting: expected one of show, hide, show-matching, hide-matching",
        "F:24:5: limit: no such setting: expected one of file, exec, socket, standard-output, show, metrics, format, format-text, format-file, json, verbose, caseless, tags, unbuffered, side, esi, grouping, query, query-file, rate-limit, sample, append, rotate-size, rotate-every, keep, keep-for, keep-bytes, symlink, post-rotate, post-rotate-timeout, mode, owner, sync, gzip, zstd, on-restart, spool-memory, spool-dir, spool-disk, overflow, mark-gaps",
        "F:27:11: json: an output that shows records: expected an output that shows lines",
        "F:29:12: query: \"ReqURL ~ \"(\"\": Regular expression error: missing closing parenthesis (Pos 11)",
      ]
    ),
  ]

  @Test(arguments: mistakes)
  func `every mistake is told with its place`(text: String, lines: [String]) throws {
    let lines = lines.map { "it.yaml\($0.dropFirst())" }
    let check = try spillway(["check", "it.yaml"], text: text)
    #expect(check.status == 1)
    #expect(check.output.isEmpty)
    #expect(check.errorText.split(separator: "\n").map(String.init) == lines)
    let run = try spillway(["run", "--config", "it.yaml"], text: text)
    #expect(run.status == 1)
    #expect(run.errorText == check.errorText)
    #expect(access("/tmp/a.log", F_OK) != 0)
  }

  @Test func `a file that isn't there is one line`() throws {
    let result = try spillway(["check", "no.yaml"], text: "")
    #expect(result.status == 1)
    #expect(result.errorText == "no.yaml: No such file or directory\n")
  }

  @Test func `a file without mistakes is one line, and nothing is opened`() throws {
    let result = try spillway(
      ["check", "it.yaml"], text: "input: {instance: /nonexistent}\noutputs: {a: {file: out.log}}\n")
    #expect(result.status == 0)
    #expect(result.text == "it.yaml: 1 output, no mistakes\n")
    #expect(result.errorText.isEmpty)
    #expect(access(home.file("out.log"), F_OK) != 0)
  }

  @Test func `the manual's example has no mistakes`() throws {
    let here = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3)
    let page = try readText(here.joined(separator: "/") + "/man/spillway-run.1")
    let start = try #require(page.firstRange(of: ".Bd -literal\ninput:"))
    let end = try #require(page[start.upperBound...].firstRange(of: "\n.Ed"))
    let text = "input:" + page[start.upperBound..<end.lowerBound] + "\n"
    let result = try spillway(["check", "it.yaml"], text: text.replacing("\\e", with: "\\"))
    #expect(result.text == "it.yaml: 3 outputs, no mistakes\n", "\(result.errorText)")
  }
}
