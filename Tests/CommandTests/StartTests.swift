import Glibc
import TestSupport
import Testing

/// The state in which the program is started, and what it does about it before anything is read.
@Suite(.needs(.spillway))
struct StartTests {
  static let log = LogFileBuilder(lines: "2 c Begin req 1 rxreq\n2 c ReqURL /a\n2 c RespStatus 200\n2 c End")

  /// Libraries that change the environment before `main`, as libraries do that are preloaded into every
  /// program.
  static let libraries: [(String, String)] = [
    ("sets a variable", #"setenv("AGENT", "1", 1);"#),
    (
      "sets many",
      #"for (int i = 0; i < 500; i++) { char name[16]; snprintf(name, sizeof name, "AGENT%d", i); setenv(name, "x", 1); }"#
    ),
    ("removes one", #"unsetenv("PATH");"#),
    ("clears all", "clearenv();"),
    ("puts another in its place", #"static char *none[] = {"A=1", 0}; environ = none;"#),
  ]

  @Test(arguments: libraries)
  func `arguments are found whatever a preloaded library does`(name: String, body: String) throws {
    let directory = try TemporaryDirectory()
    let source = directory.file("pre.c")
    try writeFile(
      source,
      """
      #define _GNU_SOURCE
      #include <stdio.h>
      #include <stdlib.h>
      #include <unistd.h>
      __attribute__((constructor)) static void change(void) { \(body) }

      """.utf8)
    let library = directory.file("pre.so")
    let compiler = try ProcessRunner.run("cc", "-shared", "-fPIC", "-o", library, source)
    try #require(compiler.status == 0, "\(compiler.errorText)")
    let result = try Subject.found().run(
      over: Self.log, ["-F", "%U", "-w", directory.file("out")], environment: ["LD_PRELOAD": library])
    #expect(result.status == 0, "\(result.errorText)")
    #expect(result.output.isEmpty)
    #expect(try readText(directory.file("out")) == "/a\n")
    for arguments in [
      ["formats", "show", "common"], ["demo", "--count", "1", "--no-panel"], ["log", "-V"],
      ["replay", "--help"],
    ] {
      let command = Command(try Subject.found().path, arguments, environment: ["LD_PRELOAD": library])
      let usual = try ProcessRunner.run(Command(try Subject.found().path, arguments)).status
      let status = try ProcessRunner.run(command).status
      #expect(status == usual, "\(arguments)")
    }
  }

  @Test func `no arguments are a mistake, --help is none`() throws {
    let path = try Subject.found().path
    let none = try ProcessRunner.run(path)
    #expect(none.status == 1)
    #expect(none.output.isEmpty)
    #expect(none.errorText.contains("USAGE: spillway <subcommand>"))
    let help = try ProcessRunner.run(path, "--help")
    #expect(help.status == 0)
    #expect(help.errorOutput.isEmpty)
    #expect(help.text == none.errorText)
  }

  @Test(arguments: [
    ("varnishncsa", "--help"), ("varnishncsa", "-h"), ("varnishlog", "--help"), ("varnishlog", "-h"),
  ])
  func `help under an old name shows that name`(name: String, option: String) throws {
    let result = try ProcessRunner.run(Command(try Subject.found().path, [option], name: name))
    #expect(result.status == 0)
    #expect(result.text.contains("\nUSAGE: \(name) <options>\n"))
    let unknown = try ProcessRunner.run(
      Command(try Subject.found().path, ["--nope"], name: "/usr/bin/\(name)"))
    #expect(unknown.status == 1)
    #expect(unknown.errorText.hasPrefix("\(name): "))
    #expect(unknown.errorText.contains("Usage: \(name) <options>"))
  }

  @Test(arguments: ["/usr/bin/spillway", "", "/", "spillway/"])
  func `the name it is called by may be anything`(name: String) throws {
    let result = try ProcessRunner.run(
      Command(try Subject.found().path, ["formats", "show", "common"], name: name))
    #expect(result.status == 0)
  }

  @Test func `called varnishncsa, -j puts nothing in the place of values`() throws {
    let format = #"{"age":%{Age}o,"b":%b}"#
    var command = Command(try Subject.found().path, ["-r", "-", "-j", "-F", format], name: "varnishncsa")
    command.environment = ["SPILLWAY_COMPAT": nil]
    command.input = .bytes(Self.log.bytes)
    #expect(try ProcessRunner.run(command).text == #"{"age":,"b":0}"# + "\n")
    #expect(
      try Subject.found().run(over: Self.log, ["-j", "-F", format]).text == #"{"age":null,"b":null}"# + "\n")
    let strict = try Subject.found().run(over: Self.log, ["-j", "-F", format, "--compat", "7.1"])
    #expect(strict.text == #"{"age":,"b":0}"# + "\n")
  }

  /// Runs the program with arguments that the shell makes from escapes, as a Swift string can't hold such
  /// bytes.
  private static func run(_ arguments: String, over log: LogFileBuilder = log) throws -> ProcessResult {
    var command = Command("bash", ["-c", "exec '\(try Subject.found().path)' \(arguments)"])
    command.environment = ["SPILLWAY_COMPAT": nil, "TZ": "UTC"]
    command.input = .bytes(log.bytes)
    return try ProcessRunner.run(command)
  }

  @Test func `a format may have any bytes`() throws {
    #expect(
      try Self.run(#"ncsa -r - -F $'\xff%U\xe2\x82\xf4\x8f\xbe\x80é'"#).output == [
        0xFF, 0x2F, 0x61, 0xE2, 0x82, 0xF4, 0x8F, 0xBE, 0x80, 0xC3, 0xA9, 0x0A,
      ])
    #expect(try Self.run(#"ncsa -r - -bcF$'\xff%U'"#).output == [0xFF, 0x2F, 0x61, 0x0A])
  }

  @Test func `a query and a record filter may have any bytes`() throws {
    var log = LogFileBuilder()
    for (number, url) in [UInt64(2): [0x2F, 0xFF] as [UInt8], 3: Array("/\u{FFFD}".utf8)].sorted(by: {
      $0.key < $1.key
    }) {
      log.add(lines: "\(number) c Begin req 1 rxreq")
      log.add(SampleRecord(number, .client, tag: SampleTags.v7["ReqURL"], bytes: url))
      log.add(lines: "\(number) c End")
    }
    #expect(try Self.run(#"ncsa -r - -F %{Varnish:vxid}x -q $'ReqURL eq "/\xff"'"#, over: log).text == "2\n")
    #expect(
      try Self.run(#"ncsa -r - -F %{Varnish:vxid}x -q $'ReqURL eq "/\xef\xbf\xbd"'"#, over: log).text == "3\n"
    )
  }

  @Test func `elsewhere they are refused with the argument`() throws {
    for arguments in [
      #"ncsa -w $'a\xffb' -r -"#, #"ncsa --exec=$'a\xffb' -r -"#, #"ncsa --exec $'a\xffb' -r -"#,
      #"log -r $'a\xffb'"#, #"formats show $'a\xffb'"#,
    ] {
      let result = try Self.run(arguments)
      #expect(result.status == 1)
      #expect(
        result.errorText.contains(#"a\xffb"#) && result.errorText.contains("not UTF-8"),
        "\(arguments): \(result.errorText)")
    }
  }
}
