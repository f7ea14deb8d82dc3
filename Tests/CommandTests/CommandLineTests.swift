import Platform
import TestSupport
import Testing

/// The arguments that the program accepts, and the messages for those that it doesn't.
@Suite(.needs(.spillway))
struct CommandLineTests {
  static let log = LogFileBuilder(
    lines: """
      2 c Begin req 1 rxreq
      2 c ReqURL /client
      2 c RespStatus 200
      2 c End
      3 b Begin bereq 2 fetch
      3 b BereqURL /backend
      3 b BerespStatus 503
      3 b End
      """)

  /// Spellings that getopt accepts, and what the program prints for them.
  static let spellings: [([String], String)] = [
    (["-F%U"], "/client\n"),
    (["-F", "%U"], "/client\n"),
    (["-bF%U"], "/backend\n"),
    (["-bF", "%U"], "/backend\n"),
    (["-bcF%U"], "/client\n/backend\n"),
    (["-cb", "-F%U"], "/client\n/backend\n"),
    (["-jbF%s"], "503\n"),
    (["-F", "-x"], "-x\n"),
    (["-F-b"], "-b\n"),
    (["-grequest", "-F%U"], "/client\n"),
    (["-gREQ", "-F%U"], "/client\n"),
    (["-gv", "-F%U"], "/client\n"),
    (["-k1", "-bcF%U"], "/client\n"),
    (["-L0x10", "-F%U"], "/client\n"),
    (["-w-", "-F%U"], "/client\n"),
    (["-t", "nonsense", "-F%U"], "/client\n"),
    (["-d", "-F%U"], "/client\n"),
    (["-F%U", "--"], "/client\n"),
    (["--compat=7.1", "-F%U"], "/client\n"),
    (["--compat", "7.1", "-F", "%U"], "/client\n"),
    (["-F", ""], "\n"),
  ]

  @Test(arguments: spellings)
  func `every spelling that getopt takes`(arguments: [String], output: String) throws {
    let result = try Subject.found().run(over: Self.log, arguments)
    #expect(result.text == output, "\(result.errorText)")
    #expect(result.status == 0)
  }

  /// Arguments, and the first line on standard error.
  static let mistakes: [([String], String)] = [
    (["-Z"], "invalid option -- 'Z'"),
    (["-bZ"], "invalid option -- 'Z'"),
    (["-F"], "option requires an argument -- 'F'"),
    (["-bw"], "option requires an argument -- 'w'"),
    (["stray"], "unexpected argument: stray"),
    (["--", "stray"], "unexpected argument: stray"),
    (["-D"], "Missing -w option"),
    (["-D", "-w", "-"], "Daemon cannot write to stdout"),
    (["-D", "-w", "/tmp/x", "-r", "-"], "Daemon cannot read from stdin"),
    (["-n", "/tmp/x", "-r", "-"], "Only one of -n and -r options may be used"),
    (["-g", "raw"], "Invalid grouping mode: raw"),
    (["-g", "session"], "Invalid grouping mode: session"),
    (["-g", "foo"], "Unknown grouping type: foo"),
    (["-g", "r"], "Ambiguous grouping type: r"),
    (["-F", "%h", "-F", "%U"], "Format already set"),
    (["-F", "%h", "-f", "/dev/null"], "Format already set"),
    (["-F", "%z"], "Unknown format specifier at: %z"),
    (["-f", "/nonexistent"], "Can't open format file (No such file or directory)"),
    (["-f", "/"], "Can't read format from file (Is a directory)"),
    (["-f", "/dev/null"], "Empty format file"),
    (["-L", "0"], "-L: Range error"),
    (["-L", "1x"], "-L: Syntax error"),
    (["-k", "0"], "-k: Invalid number '0'"),
    (["-k", "1x"], "-k: Invalid number '1x'"),
    (["-t", "foo"], "-t: Invalid argument: foo"),
    (["-t", "-1"], "-t: Invalid argument: -1"),
    (["-t", "1.5x"], "-t: Invalid argument: 1.5x"),
    (["-t", "inf"], "-t: Invalid argument: inf"),
    (["-w", "/nonexistent/log", "-r", "-"], "Can't open output file (No such file or directory)"),
    (["--compat", "10.0"], "--compat: \"10.0\" is not a Varnish version from 2.0 to 9.0"),
    (["--compat", "x"], "--compat: \"x\" is not a Varnish version from 2.0 to 9.0"),
    (["--keep", "5", "-r", "-"], "--keep needs a file: -w FILE"),
    (["--gzip", "-r", "-"], "--gzip needs a file: -w FILE"),
    (["--spool-memory", "8Q", "-r", "-"], "--spool-memory: \"8Q\" is not a size"),
    (["--spool-disk", "1G", "-r", "-"], "--spool-disk needs a directory: --spool-dir DIRECTORY"),
    (
      ["--spool-disk", "much", "--spool-dir", "/tmp/x", "-r", "-"], "--spool-disk: \"much\" is not a size"
    ),
    (["--overflow", "spill", "-r", "-"], "--overflow spill needs a directory: --spool-dir DIRECTORY"),
    (
      ["--overflow", "drop", "--spool-dir", "/tmp/x", "-r", "-"],
      "--overflow drop doesn't go with --spool-dir"
    ),
    (
      ["--overflow", "block", "--spool-dir", "/tmp/x", "-r", "-"],
      "--overflow block doesn't go with --spool-dir"
    ),
    (["--overflow", "block"], "--overflow block: only a log in a file can wait (-r FILE)"),
    (["--overflow", "wait", "-r", "-"], "--overflow: \"wait\" is none of spill, drop and block"),
    (["--keep-for", "1d", "-r", "-"], "--keep-for needs a file: -w FILE"),
    (["--post-rotate", "true", "-r", "-"], "--post-rotate needs a file: -w FILE"),
    (["--mode", "0640", "-r", "-"], "--mode needs a file: -w FILE"),
    (["--owner", "root", "--exec", "cat"], "--owner needs a file: -w FILE"),
    (["-w", "/tmp/x", "--keep", "5", "-r", "-"], "--keep needs files that are finished: --rotate-size"),
    (["-w", "/tmp/100%%", "--keep-for", "5d", "-r", "-"], "--keep-for needs files that are finished"),
    (["-w", "/tmp/x", "--keep-bytes", "5G", "-r", "-"], "--keep-bytes needs files that are finished"),
    (["-w", "/tmp/x", "--post-rotate", "true", "-r", "-"], "--post-rotate needs files that are finished"),
    (
      ["-w", "/tmp/x", "--rotate-size", "1M", "--post-rotate-timeout", "5s", "-r", "-"],
      "--post-rotate-timeout needs a command: --post-rotate COMMAND"
    ),
    (
      [
        "-w", "/tmp/x", "--rotate-size", "1M", "--post-rotate", "true", "--post-rotate-timeout", "1ms", "-r",
        "-",
      ], "--post-rotate-timeout: the shortest time is 1s"
    ),
    (["-w", "/tmp/x", "--mode", "888", "-r", "-"], "--mode: \"888\" is not an octal number from 0 to 777"),
    (["-w", "/tmp/x", "--mode", "4755", "-r", "-"], "--mode: \"4755\" is not an octal number from 0 to 777"),
    (["-w", "/tmp/x", "--mode", "0440", "-r", "-"], "--mode: with \"0440\" the owner could not write"),
    (["-w", "/tmp/x", "--owner", "no-such", "-r", "-"], "--owner: there is no user \"no-such\""),
    (["-w", "/tmp/x", "--owner", "root:no-such", "-r", "-"], "--owner: there is no group \"no-such\""),
    (["-w", "/tmp/x", "--owner", ":", "-r", "-"], "--owner: \":\" names nobody"),
    (
      ["-w", "/dev/null", "--gzip", "-r", "-"],
      "Can't open output file (--gzip needs a file, which this is not)"
    ),
    (["-w", "/tmp/x", "--keep-for", "10ms", "-r", "-"], "--keep-for: the shortest time is 1s"),
    (["-w", "/tmp/x", "--keep-bytes", "much", "-r", "-"], "--keep-bytes: \"much\" is not a size"),
    (["--gzip", "--exec", "cat"], "--gzip needs a file: -w FILE"),
    (["--zstd", "--exec", "cat"], "--zstd needs a file: -w FILE"),
    (["--zstd=20", "-w", "x"], "--zstd: \"20\" is not a number from 1 to 19"),
    (["--zstd", "--gzip", "-w", "x"], "--zstd doesn't go with --gzip"),
    (["--rotate-size", "1M", "--socket", "unix:/s"], "--rotate-size needs a file: -w FILE"),
    (["-a", "--exec", "cat"], "-a needs a file: -w FILE"),
    (["--exec", "cat", "-w", "-"], "Only one of -w, --exec and --socket may be used"),
    (["--exec", "cat", "--socket", "unix:/s"], "Only one of -w, --exec and --socket may be used"),
    (["--exec", " "], "--exec: no command"),
    (
      ["--socket", "loghost:514"],
      "--socket: \"loghost:514\" is not unix:PATH, tcp:HOST:PORT or tcp:[ADDRESS]:PORT"
    ),
    (["--exec", "cat", "--on-restart", "retry"], "--on-restart: \"retry\" is neither resend nor drop"),
    (["--on-restart", "drop"], "--on-restart needs --exec, --socket or a named pipe: -w FILE"),
    (["-Q", "/nonexistent"], "-Q /nonexistent: No such file or directory"),
    (["-R", "0"], "-R: Range error"),
    (["-R", "1x"], "-R: Syntax error"),
    (["-R", "1/"], "-R: Syntax error"),
    (["-R", "1/x"], "-R: Syntax error: Invalid duration"),
    (["-R", "1/nan"], "-R: Syntax error: Invalid duration"),
    (["-R", "1/inf"], "-R: Syntax error: Invalid duration"),
    (["-R", "1/infinitys"], "-R: Syntax error: Invalid duration"),
    (["-R", "1/1e999s"], "-R: Syntax error: Invalid duration"),
    (["-R", "1/0s"], "-R: Syntax error: Invalid duration"),
    (["-R", "1/-1s"], "-R: Syntax error: Invalid duration"),
    (["-R", "1/0x10s"], "-R: Syntax error: Invalid duration"),
    (["-R", "1/5"], "-R: Syntax error: Invalid duration"),
    (["-R", "1/ 1s"], "-R: Syntax error: Invalid duration"),
    (["-R", "1/9999999999999999s"], "-R: Syntax error: Invalid duration"),
    (["-R", "1/\(String(repeating: "9", count: 400))s"], "-R: Syntax error"),
    (["-R", "-1/s"], "-R: Range error"),
    (["-R", "0/nan"], "-R: Range error"),
    (["-R", ""], "-R: Range error"),
    (["-R", "1.5/s"], "-R: Syntax error"),
    // Options that older versions had.
    (["-m", "ReqURL:x"], "invalid option -- 'm'; older versions had it, today use -q 'TAG ~ \"REGEX\"'"),
    (["-bO"], "invalid option -- 'O'; older versions had it, today use -g raw of spillway log"),
    (
      ["-i", "ReqURL"],
      "invalid option -- 'i'; older versions had it, today use -q 'TAG', or spillway log -i TAG"
    ),
    (["-I", "x"], "invalid option -- 'I'; older versions had it, today use -q 'TAG ~ \"REGEX\"'"),
    (["-x", "ReqURL"], "invalid option -- 'x'; older versions had it, today use -q 'not TAG'"),
    (["-X", "x"], "invalid option -- 'X'; older versions had it, today use -q 'not TAG ~ \"REGEX\"'"),
    (["-B"], "invalid option -- 'B'; older versions had it, today use -w FILE of spillway log"),
    (["-s", "5"], "invalid option -- 's'; older versions had it, today use tail"),
  ]

  @Test(arguments: ["m", "O", "B", "o", "s"])
  func `varnishlog's old options get a word on what to use, too`(letter: String) throws {
    let result = try ProcessRunner.run(try Subject.found().log(["-\(letter)", "x"]))
    #expect(
      result.errorText.hasPrefix("spillway: invalid option -- '\(letter)'; older versions had it, today use ")
    )
    #expect(result.status == 1)
  }

  @Test(arguments: ["not ReqURL", "ReqURL", "not ReqURL ~ \"x\"", "ReqURL ~ \"x\""])
  func `what is advised in the place of old options is a query`(query: String) throws {
    let result = try Subject.found().run(over: Self.log, ["-q", query])
    #expect(result.status == 0, "\(result.errorText)")
  }

  /// Durations that are accepted, some of them unusual.
  @Test(arguments: [
    "5/s", "5/1s", "5/.5s", "5/1.s", "5/.s", "5/ s", "5/1 s", "5/1s ", "0x5/ms", "05/d", "+5/w", " 5/y", "5",
  ])
  func `a rate that is taken`(rate: String) throws {
    let result = try Subject.found().run(over: Self.log, ["-F%U", "-R", rate])
    #expect(result.text == "/client\n", "\(result.errorText)")
    #expect(result.status == 0)
  }

  @Test(arguments: mistakes)
  func `a mistake is one clear message and status 1`(arguments: [String], message: String) throws {
    let result = try ProcessRunner.run(try Subject.found().ncsa(arguments))
    let first = result.errorText.split(separator: "\n").first ?? ""
    #expect(first.hasPrefix("spillway: \(message)"), "\(result.errorText)")
    #expect(result.errorText.split(separator: "\n").count <= 2)
    #expect(result.status == 1)
    #expect(result.output.isEmpty)
  }

  @Test func `a query that can't be read is shown with the place of the mistake`() throws {
    let result = try ProcessRunner.run(
      try Subject.found().ncsa(["-r", "unread", "-q", "RespStatus >="]))
    #expect(result.status == 1)
    #expect(
      result.errorText.hasPrefix(
        "spillway: Query expression error:\nExpected number got '' (Pos 14)\nRespStatus >=\n"))
  }

  @Test func `an unknown long option is named`() throws {
    let result = try ProcessRunner.run(try Subject.found().ncsa(["--nope"]))
    #expect(result.errorText.contains("--nope"))
    #expect(result.status == 1)
  }

  @Test func `help tells the options by task`() throws {
    for option in ["--help", "-h"] {
      let result = try ProcessRunner.run(try Subject.found().ncsa([option]))
      #expect(result.status == 0)
      #expect(result.errorOutput.isEmpty)
      let headings = result.text.split(separator: "\n").filter {
        $0.hasSuffix(":") && !$0.hasPrefix(" ")
      }
      #expect(headings.starts(with: ["INPUT:", "SELECTION:", "FORMAT:", "OUTPUT:", "PROCESS:"]))
      let all = ["-a", "-b", "-c", "-d", "-D", "-E", "-F", "-f", "-g", "-h", "-j", "-k", "-L", "-n"]
      for letter in all + ["-P", "-r", "-t", "-T", "-V", "-w"] {
        #expect(result.text.contains("\n  \(letter)"), "\(letter)")
      }
    }
  }

  @Test func `the version is told on standard error`() throws {
    let result = try ProcessRunner.run(try Subject.found().ncsa(["-V"]))
    #expect(result.errorText.hasPrefix("spillway (spillway "))
    #expect(result.status == 0)
    #expect(result.output.isEmpty)
  }

  @Test func `the rules of a version can be asked for by the environment`() throws {
    let text = LogFileBuilder(lines: "2 c Begin req 1 rxreq\n2 c VCL_Log k:a\u{0B}\u{0C}x\n2 c End")
    for (version, expected) in [("6.0", "a\\v\\fx\n"), ("7.1", "a\\v\\x0cx\n"), ("8.0", "a\\x0b\\x0cx\n")] {
      let result = try Subject.found().run(
        over: text, ["-F", "%{VCL_Log:k}x"], environment: ["SPILLWAY_COMPAT": version])
      #expect(result.text == expected)
      let option = try Subject.found().run(
        over: text, ["--compat", version, "-F", "%{VCL_Log:k}x"],
        environment: ["SPILLWAY_COMPAT": "7.4"])
      #expect(option.text == expected, "the option counts for more")
    }
    let wrong = try Subject.found().run(over: text, [], environment: ["SPILLWAY_COMPAT": "eleven"])
    #expect(wrong.status == 1)
    #expect(wrong.errorText.contains("\"eleven\" is not a Varnish version"))
  }

  /// The content of a format file, and what it prints.
  static let formatFiles: [(String, String)] = [
    ("%U", "/client\n"), ("%U\n", "/client\n"), ("%U\n%s\nmore", "/client\n"),
    ("%U\r\n", "/client\r\n"), ("%U\0%s\n", "/client\n"), ("\n%U\n", "\n"),
  ]

  @Test(arguments: formatFiles)
  func `a format file's first line is the format`(content: String, output: String) throws {
    let directory = try TemporaryDirectory()
    try writeFile(directory.file("format"), content.utf8)
    let result = try Subject.found().run(over: Self.log, ["-f", directory.file("format")])
    #expect(result.text == output)
    #expect(result.status == 0)
    let isWarned = content.contains("more") || content.dropFirst().contains("%U") || content.contains("%s\n")
    #expect(
      result.errorText
        == (isWarned
          ? "spillway: \(directory.file("format")): only the first line is the format; what follows is ignored\n"
          : ""))
    let quiet = try Subject.found().run(over: Self.log, ["-f", directory.file("format"), "--compat", "7.1"])
    #expect(quiet.errorText.isEmpty)
  }

  @Test func `-k ends the run after so many groups`() throws {
    for (count, lines) in [(1, 1), (2, 2), (3, 2)] {
      let result = try Subject.found().run(over: Self.log, ["-bc", "-k", "\(count)", "-F%U"])
      #expect(result.text.split(separator: "\n").count == lines)
      #expect(result.status == 0)
    }
  }

  @Test func `statistics are printed where they are asked for`() throws {
    let result = try Subject.found().run(over: Self.log, ["-F%U", "--stats"])
    #expect(result.errorText == "spillway: seen=2 written=1 filtered=1 dropped=0 lost=0\n")
    let quiet = try Subject.found().run(over: Self.log, ["-F%U"])
    #expect(quiet.errorText.isEmpty)
  }

  @Test func `an output file is replaced, or added to with -a`() throws {
    let directory = try TemporaryDirectory()
    let path = directory.file("out")
    try writeFile(path, "before\n".utf8)
    let replaced = try Subject.found().run(over: Self.log, ["-F%U", "-w\(path)"])
    #expect(replaced.status == 0)
    #expect(replaced.output.isEmpty)
    #expect(try readText(path) == "/client\n")
    _ = try Subject.found().run(over: Self.log, ["-bF%U", "-aw", path])
    #expect(try readText(path) == "/client\n/backend\n")
  }

  @Test func `a full device is one line and status 4`() throws {
    let result = try Subject.found().run(over: Self.log, ["-F%U", "-w", "/dev/full"])
    #expect(result.status == 4)
    #expect(result.errorText.contains("/dev/full"))
    #expect(result.errorText.contains("No space left on device"))
  }
}
