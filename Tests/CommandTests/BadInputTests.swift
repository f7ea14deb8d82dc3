import TestSupport
import Testing

/// Files with a fault: all records before it are delivered, then one line gives the place and the kind of the
/// fault.
@Suite(.needs(.spillway))
struct BadInputTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var log: LogFileBuilder
    /// The URLs that come out before the fault.
    var urls: [String] = ["/good"]
    /// The message after the file's name.
    var message: String
  }

  private static let good = "2 c Begin req 1 rxreq\n2 c ReqURL /good\n2 c End"

  private static func with(_ change: (inout LogFileBuilder) -> Void) -> LogFileBuilder {
    var log = LogFileBuilder(lines: good)
    change(&log)
    return log
  }

  static let faults: [Case] = {
    let place = LogFileBuilder(lines: good).byteCount
    return [
      Case(
        testDescription: "cut in a header", log: with { $0.add(raw: [1, 0, 0, 16, 2]) },
        message: "byte offset \(place): the record needs 8 bytes, but only 5 are left"),
      Case(
        testDescription: "cut in a record",
        log: with { $0.add(raw: [9, 0, 0, 16, 2, 0, 0, 64, 0x61, 0x62, 0x63]) },
        message: "byte offset \(place): the record needs 20 bytes, but only 11 are left"),
      Case(
        testDescription: "claims more than is left",
        log: with { $0.add(raw: [0xFF, 0xFF, 0, 16, 2, 0, 0, 64]) },
        message: "byte offset \(place): the record needs 65544 bytes, but only 8 are left"),
      Case(
        testDescription: "zeros behind the records",
        log: with { $0.add(raw: [UInt8](repeating: 0, count: 64)) },
        message: "byte offset \(place): a record of tag 0, which no log has"),
      Case(
        testDescription: "an unknown tag",
        log: with { log in
          log.add(lines: "4 c Begin req 1 rxreq")
          log.add(SampleRecord(4, .client, tag: 200, bytes: Array("x".utf8)))
          log.add(lines: "4 c ReqURL /also\n4 c End")
        }, urls: ["/good", "/also"],
        message:
          "byte offset \(place + 20): a record of tag 200, which is not known"
      ),
      Case(
        testDescription: "records without a Begin",
        log: with {
          $0.add(
            lines: "7 c ReqURL /lost\n7 c ReqMethod GET\n8 c Begin req 1 rxreq\n8 c ReqURL /also\n8 c End")
        },
        urls: ["/good", "/also"],
        message:
          "byte offset \(place): records of transaction 7, which doesn't begin in this file"
      ),
      Case(
        testDescription: "an End without a Begin", log: with { $0.add(lines: "7 c End") },
        message:
          "byte offset \(place): records of transaction 7, which doesn't begin in this file"
      ),
    ]
  }()

  @Test(arguments: faults) func `in a file`(_ fault: Case) throws {
    let directory = try TemporaryDirectory()
    let path = directory.file("log.vsl")
    try fault.log.write(to: path)
    var command = try Subject.found().ncsa(["-r", path, "-F", "%U"])
    command.environment = ["SPILLWAY_COMPAT": nil]
    let result = try ProcessRunner.run(command)
    #expect(result.text == fault.urls.map { $0 + "\n" }.joined())
    Self.expect(result.errorText, toBeginWith: "spillway: \(path): \(fault.message)")
    #expect(result.status == 1)
  }

  @Test(arguments: faults) func `in a pipe`(_ fault: Case) throws {
    let result = try Subject.found().run(over: fault.log, ["-F", "%U"])
    #expect(result.text == fault.urls.map { $0 + "\n" }.joined())
    Self.expect(result.errorText, toBeginWith: "spillway: -: \(fault.message)")
    #expect(result.status == 1)
  }

  /// Expects a single line, which may have a count behind the message.
  private static func expect(_ text: String, toBeginWith message: String) {
    #expect(text.hasPrefix(message + "\n") || text.hasPrefix(message + " ("))
    #expect(text.split(separator: "\n").count == 1)
  }

  /// Bytes that aren't a log, and the message for them.
  static let noLogs: [(String, [UInt8], String)] = [
    ("nothing", [], "VSL file read error: EOF"),
    ("three bytes", Array("VSL".utf8), "VSL file read error: EOF"),
    ("text", Array("127.0.0.1 - - GET".utf8), "Not a VSL file: "),
    ("zeros", [UInt8](repeating: 0, count: 4096), "Not a VSL file: "),
    ("another magic", Array("VSL3....".utf8), "Not a VSL file: "),
  ]

  @Test(arguments: noLogs)
  func `what is no log is refused`(name: String, bytes: [UInt8], message: String) throws {
    let directory = try TemporaryDirectory()
    let path = directory.file("log.vsl")
    try writeFile(path, bytes)
    let result = try ProcessRunner.run(try Subject.found().ncsa(["-r", path]))
    let expected = message.hasSuffix(": ") ? message + path : message
    #expect(result.errorText == "spillway: \(expected)\n")
    #expect(result.status == 1)
    #expect(result.output.isEmpty)
  }

  @Test func `a file that is not there, and one that is a directory`() throws {
    let directory = try TemporaryDirectory()
    let missing = try ProcessRunner.run(
      try Subject.found().ncsa(["-r", directory.file("missing")]))
    #expect(
      missing.errorText
        == "spillway: Cannot open \(directory.file("missing")): No such file or directory\n")
    #expect(missing.status == 1)
    let folder = try ProcessRunner.run(try Subject.found().ncsa(["-r", directory.path]))
    #expect(
      folder.errorText
        == "spillway: \(directory.path): holds no log: none of its 0 files is called _.Log.…, _.vsm or "
        + "_.vsl\n")
    #expect(folder.status == 1)
  }

  @Test(arguments: SampleLayout.allCases)
  func `a marker and no records is a log in which nothing happened`(layout: SampleLayout) throws {
    let result = try Subject.found().run(over: LogFileBuilder(layout), [])
    #expect(result.status == 0)
    #expect(result.output.isEmpty)
    #expect(result.errorOutput.isEmpty)
  }

  @Test(arguments: SampleLayout.allCases)
  func `records of no length and batch headers are no fault in a file`(layout: SampleLayout) throws {
    var log = LogFileBuilder(layout, lines: "2 c Begin req 1 rxreq")
    log.add(SampleRecord(2, .client, tag: log.tags["ReqHeader"], bytes: [], terminated: false))
    log.add(SampleRecord(2, .client, tag: 255, bytes: [], terminated: false))
    log.add(lines: "2 c ReqURL /x\n2 c End")
    let result = try Subject.found().run(over: log, ["-F", "%U"])
    #expect(result.text == "/x\n", "\(result.errorText)")
    #expect(result.status == 0)
  }

  @Test func `hundreds of megabytes of one transaction end in an error, not in memory`() async throws {
    try await onOwnThread {
      var log = LogFileBuilder(lines: Self.good + "\n4 c Begin req 1 rxreq")
      let record = SampleRecord(
        4, .client, tag: SampleTags.v7["VCL_Log"], bytes: [UInt8](repeating: 0x61, count: 65_000))
      let bytes = LogFileBuilder.bytes(of: record, .twoWord)
      var large = log.bytes
      large.reserveCapacity(bytes.count * 5000)
      for _ in 0..<5000 { large += bytes }
      log.add(raw: large.dropFirst(log.byteCount))
      // The format needs the records, so they have to be kept. The peak of a process that briefly shares its
      // parent's memory would mislead, so a limit on memory is the test.
      let program = try Subject.found().path
      var command = TestSupport.Command(
        "sh", ["-c", "ulimit -d 131072; exec \"$0\" ncsa -r - -F '%U %{VCL_Log:k}x'", program])
      command.environment = ["SPILLWAY_COMPAT": nil]
      command.input = .bytes(log.bytes)
      let result = try ProcessRunner.run(command)
      #expect(result.text == "/good \n")
      #expect(result.status == 1)
      #expect(result.errorText.hasPrefix("spillway: -: byte offset "))
      #expect(result.errorText.contains(": transaction 4 has more than"))
    }
  }
}
