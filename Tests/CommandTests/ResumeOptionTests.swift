import Glibc
import TestSupport
import Testing

/// `--resume` and `--sync`, and the settings of these names: what is refused, and with which messages.
@Suite(.needs(.spillway))
struct ResumeOptionTests {
  private let home: TemporaryDirectory

  init() throws {
    home = try TemporaryDirectory()
    try writeFile(home.file("log"), OutputsTests.log.bytes)
    try #require(mkfifo(home.file("pipe"), 0o600) == 0)
    try #require(mkdir(home.file("state"), 0o755) == 0)
  }

  private func spillway(_ arguments: [String], state: String? = nil) throws -> ProcessResult {
    let inHome = ["-c", "cd \"$0\" && exec \"$@\"", home.path]
    var command = Command("/bin/sh", inHome + [try Subject.found().path] + arguments)
    command.environment = [
      "SPILLWAY_COMPAT": nil, "VARNISH_DEFAULT_N": nil, "VINYL_DEFAULT_N": nil, "STATE_DIRECTORY": state,
    ]
    return try ProcessRunner.run(command)
  }

  /// The output of `spillway check` for a file, without the file's name.
  private func check(_ text: String, state: String? = nil) throws -> [String] {
    try writeFile(home.file("it.yaml"), text.utf8)
    let result = try spillway(["check", "it.yaml"], state: state)
    #expect(result.status == (result.errorText.isEmpty ? 0 : 1))
    return result.errorText.split(separator: "\n").map { String($0.dropFirst("it.yaml:".count)) }
  }

  @Test(arguments: [
    (["-r", "log", "--resume", ""], "--resume: no path"),
    (
      ["-r", "-", "--resume", "c"],
      "--resume: standard input can't be read again: expected a live log, or a file to read"
    ),
    (
      ["-r", "pipe", "--resume", "c"],
      "--resume: pipe can't be read again: expected a live log, or a regular file to read"
    ),
    (
      ["-r", "log", "-w", "c", "--resume", "./c"],
      "--resume: \"HOME/./c\" is an output's already: expected a file for the checkpoint alone"
    ),
    (
      ["-r", "log", "--output", "exec=cat", "--output", "exec=cat", "--resume", "c"],
      "--resume: two outputs are called \"cat\": a checkpoint tells them apart by their names, which 'spillway run' lets you choose"
    ),
    (["-r", "log", "--sync", "1s"], "--sync needs a file: -w FILE"),
    (
      ["-r", "log", "-w", "x", "--sync", "soon"],
      "--sync: \"soon\" is none of each-batch, never and a time: expected a number with its unit (like 1s)"
    ),
    (
      ["-r", "log", "-w", "x", "--sync", "0s"],
      "--sync: \"0s\" is too short a time: the shortest is 1ms, and each-batch"
    ),
    (
      ["-r", "log", "--output", "file=x sync=-1"],
      "--output, column 13: sync: \"-1\" is none of each-batch, never and a time: expected a number with its unit (like 1s)"
    ),
  ])
  func `an option that can't be carried out is one line`(arguments: [String], line: String) throws {
    for command in ["ncsa", "log"] {
      let result = try spillway([command] + arguments)
      #expect(result.status == 1)
      #expect(result.errorText == "spillway: \(line.replacing("HOME", with: home.path))\n")
      #expect(access(home.file("c"), F_OK) != 0)
      #expect(access(home.file("x"), F_OK) != 0)
    }
  }

  @Test func `every mistake in a file is told at its setting`() throws {
    let outputs = "outputs: {a: {file: a.log, sync: soon}, b: {exec: cat, sync: 1s}}"
    #expect(
      try check("input: {file: \"-\"}\nprocess: {resume: c}\n\(outputs)\n") == [
        "2:19: resume: standard input can't be read again: expected a live log, or a file to read",
        "3:34: sync: \"soon\" is none of each-batch, never and a time: expected a number with its unit (like 1s)",
        "3:62: sync: needs a file: expected file beside it",
      ])
    let output = "outputs: {a: {file: a.log, sync: each-batch}}\n"
    #expect(
      try check("process: {resume: yes}\n" + output) == [
        "1:19: resume: there is no directory for a service's state (STATE_DIRECTORY): expected a path"
      ])
    #expect(try check("process: {resume: \"\"}\n" + output) == ["1:19: resume: \"\": no path"])
    #expect(
      try check("process: {resume: a.log}\n" + output) == [
        "1:19: resume: \"\(home.path)/a.log\" is an output's already: expected a file for the checkpoint alone"
      ])
  }

  @Test func `a checkpoint has room for so many outputs, with names so long`() throws {
    let state = home.file("state")
    func outputs(_ count: Int) -> String {
      "outputs:\n" + (1...count).map { "  a\($0): {file: a\($0).log}\n" }.joined()
    }
    let input = "input: {file: log}\n"
    #expect(try check(input + "process: {resume: c}\n" + outputs(64)).isEmpty)
    #expect(
      try check(input + "process: {resume: c}\n" + outputs(65)) == [
        "2:19: resume: 65 outputs: a checkpoint has room for 64"
      ])
    #expect(
      try check(input + outputs(65), state: state).isEmpty, "what is usual isn't used where it can't be")
    let long = "cat " + String(repeating: "x", count: 700)
    let result = try spillway(["ncsa", "-r", "log", "--exec", long, "--resume", "c"])
    #expect(result.status == 1)
    #expect(
      result.errorText
        == "spillway: --resume: an output's name has 704 bytes: a checkpoint has room for 700; "
        + "'spillway run' lets you choose names\n")
  }

  @Test func `a path, a switch and what is usual are accepted`() throws {
    let state = "\(home.file("state")):/nonexistent"
    let settings = [
      ("c", "never"), ("no", "each-batch"), ("off", "250ms"), ("yes", "1m"), ("/nonexistent/c", "1"),
      ("", "1ms"),
    ]
    for (resume, sync) in settings {
      let text = "process: {resume: \(resume)}\noutputs: {a: {file: a.log, sync: \(sync)}}\n"
      #expect(try check(text, state: state).isEmpty)
    }
    // The default isn't used for an input that can't be resumed.
    #expect(try check("input: {file: \"-\"}\noutputs: {a: {file: a.log}}\n", state: state).isEmpty)
    #expect(access(home.file("state/checkpoint"), F_OK) != 0, "looking for mistakes makes nothing")
  }

  @Test func `options do nothing to what is written`() throws {
    let plain = try spillway(["ncsa", "-r", "log", "-F", "%U", "-w", "plain"])
    #expect(plain.status == 0)
    for sync in ["each-batch", "1ms", "never"] {
      let result = try spillway([
        "ncsa", "-r", "log", "-F", "%U", "-w", "out-\(sync)", "--sync", sync, "--resume", "c-\(sync)",
      ])
      #expect(result.status == 0, "\(result.errorText)")
      #expect(try readFile(home.file("out-\(sync)")) == readFile(home.file("plain")))
    }
  }

  @Test func `a running process keeps its checkpoint, wherever the setting comes from`() async throws {
    try await onOwnThread {
      let lines = ["first: {file: \(home.file("first")), format-text: \"%U\"}"]
      let run = try ConfiguredFeed(
        home.file("it.yaml"), lines, first: home.file("first"),
        environment: ["STATE_DIRECTORY": home.file("state")])
      let kept =
        "it.yaml: resume: what has changed counts from the next start on; the running process keeps it"
      try run.reload(lines, process: "resume: \(home.file("state/checkpoint"))")
      try run.sendUntil(": read again: ")
      #expect(run.count(kept) == 0)
      try run.reload(lines, process: "resume: no")
      try run.sendUntil(": read again: ", count: 2)
      #expect(run.count(kept) == 1)
      let (end, said) = try run.feed.finish()
      #expect(end.status == 0, "\(said)")
    }
  }

  @Test func `the option of a run counts before what its file says`() throws {
    try writeFile(
      home.file("it.yaml"), "input: {file: log}\nprocess: {resume: a.log}\noutputs: {a: {file: a.log}}\n".utf8
    )
    let result = try spillway(["run", "--config", "it.yaml", "--resume", "c"])
    #expect(result.status == 0, "\(result.errorText)")
    let refused = try spillway(["run", "--config", "it.yaml", "--resume", "./a.log"])
    #expect(refused.status == 1)
    #expect(
      refused.errorText
        == "spillway: --resume: \"\(home.path)/./a.log\" is an output's already: expected a file for the checkpoint alone\n"
    )
  }
}
