import Glibc
import TestSupport
import Testing

/// `-r` recognises gzip and zstd by the contents.
@Suite(.needs(.spillway))
struct CompressedInputTests {
  private static func run(
    _ arguments: [String], input: TestSupport.Command.Input = .null
  ) throws -> ProcessResult {
    var command = try Subject.found().ncsa(arguments)
    command.environment = ["TZ": "UTC", "LC_ALL": "C", "SPILLWAY_COMPAT": nil]
    command.input = input
    return try ProcessRunner.run(command)
  }

  @Test(arguments: OracleTests.versions, Compressor.allCases)
  func `a compressed capture gives what the capture gives`(
    version: String, compressor: Compressor
  ) async throws {
    try await onOwnThread {
      let fixture = try Fixture.named(version)
      let expected = try fixture.bytes("default.out")
      let directory = try TemporaryDirectory()
      // The name doesn't tell the format.
      let path = directory.file("capture.vsl")
      let compressed = try compressor.compress(try fixture.bytes("capture.vsl"))
      try writeFile(path, compressed)
      let inputs: [(String, TestSupport.Command.Input)] = [
        (path, .null), ("-", .file(path)), ("-", .bytes(compressed)),
      ]
      for (name, input) in inputs {
        let result = try Self.run(["--compat", version, "-r", name], input: input)
        #expect(result.output == expected, "\(name)")
        #expect(result.errorText.isEmpty)
        #expect(result.status == 0)
      }
    }
  }

  @Test(arguments: Compressor.allCases)
  func `cut off, what is whole is delivered and one line says where`(
    compressor: Compressor
  ) async throws {
    try await onOwnThread {
      let fixture = try Fixture.named("7.1")
      let expected = try fixture.bytes("default.out")
      let compressed = try compressor.compress(try fixture.bytes("capture.vsl"))
      let directory = try TemporaryDirectory()
      let path = directory.file("capture.vsl")
      var lineCount = 0
      for count in stride(from: 4, to: compressed.count, by: 997) {
        try writeFile(path, compressed[..<count])
        let result = try Self.run(["-r", path])
        #expect(expected.starts(with: result.output) && result.output.last ?? 10 == 10, "\(count)")
        let lines = result.output.count { $0 == 10 }
        #expect(lines >= lineCount, "\(count)")
        lineCount = lines
        let message =
          "spillway: \(path): compressed byte offset \(count): the \(compressor.formatName) data are cut off\n"
        #expect(result.errorText == message)
        #expect(result.status == 1)
      }
      #expect(lineCount > 30)
    }
  }

  private static let log = LogFileBuilder(lines: "2 c Begin req 1 rxreq\n2 c ReqURL /good\n2 c End")

  @Test(arguments: Compressor.allCases)
  func `a fault in the log is placed in what was decoded`(compressor: Compressor) async throws {
    try await onOwnThread {
      let place = Self.log.byteCount
      let faults: [([UInt8], String)] = [
        ([1, 0, 0, 16, 2], ": the record needs 8 bytes, but only 5 are left\n"),
        ([UInt8](repeating: 0, count: 64), ": a record of tag 0, which no log has\n"),
        ([1, 0, 0, 200, 2, 0, 0, 64, 0, 0, 0, 0], ": a record of tag 200, which is not known (1 in all)\n"),
        (
          [1, 0, 0, 16, 3, 0, 0, 64, 0, 0, 0, 0],
          ": records of transaction 3, which doesn't begin in this file (1 such pieces)\n"
        ),
      ]
      for (bytes, text) in faults {
        let compressed = try compressor.compress(Self.log.bytes + bytes)
        let result = try Self.run(["-r", "-", "-F", "%U"], input: .bytes(compressed))
        #expect(result.text == "/good\n")
        #expect(result.errorText == "spillway: -: decoded byte offset \(place)\(text)")
        #expect(result.status == 1)
      }
    }
  }

  @Test(arguments: Compressor.allCases)
  func `what is no log is refused`(compressor: Compressor) async throws {
    try await onOwnThread {
      let directory = try TemporaryDirectory()
      let path = directory.file("log")
      let log = try compressor.compress(Self.log.bytes)
      let cases: [([UInt8], String)] = [
        (try compressor.compress(Array("127.0.0.1 - - GET".utf8)), "Not a VSL file: \(path)"),
        (try Compressor.gzip.compress(log), "Not a VSL file: \(path)"),
        (try compressor.compress(Array("VSL".utf8)), "VSL file read error: EOF"),
        (
          try (compressor.isGzip ? Compressor.gzip : .zstd).compress([]), "VSL file read error: EOF"
        ),
        (
          compressor.magic + [UInt8](repeating: 0xFF, count: 40),
          "\(path): compressed byte offset "
        ),
      ]
      for (bytes, message) in cases {
        try writeFile(path, bytes)
        let result = try Self.run(["-r", path])
        #expect(result.errorText.hasPrefix("spillway: \(message)"))
        #expect(result.errorText.split(separator: "\n").count == 1)
        #expect(result.output.isEmpty)
        #expect(result.status == 1)
      }
    }
  }

  @Test(arguments: Compressor.allCases)
  func `something else behind the data is an error with its place`(compressor: Compressor) async throws {
    try await onOwnThread {
      let log = try compressor.compress(Self.log.bytes)
      let result = try Self.run(
        ["-r", "-", "-F", "%U"], input: .bytes(log + Array("something else".utf8)))
      #expect(result.text == "/good\n")
      #expect(
        result.errorText
          == "spillway: -: compressed byte offset \(log.count): the \(compressor.formatName) data have ended, "
          + "and something else follows\n")
      #expect(result.status == 1)
    }
  }

  @Test(arguments: Compressor.allCases)
  func `lines come while the writer of a compressed pipe pauses`(compressor: Compressor) async throws {
    try await onOwnThread {
      let directory = try TemporaryDirectory()
      let path = directory.file("pipe")
      try #require(mkfifo(path, 0o600) == 0)
      // Opened for reading and writing, so that opening doesn't wait for the reader.
      let writer = open(path, O_RDWR | O_CLOEXEC)
      try #require(writer >= 0)
      var isOpen = true
      defer { if isOpen { close(writer) } }
      let child = try ChildProcess(try Subject.found().ncsa(["-r", path, "-F", "%U"]))
      let output = try #require(child.output)
      let deadline = Deadline.after(.seconds(20))
      let marker = LogFileBuilder().byteCount
      for index in 1...3 {
        let lines = "\(index * 2) c Begin req 1 rxreq\n\(index * 2) c ReqURL /\(index)\n\(index * 2) c End"
        let bytes = LogFileBuilder(lines: lines).bytes
        // The marker is only in front of the first records.
        let part = try compressor.compress(index == 1 ? bytes : Array(bytes[marker...]))
        let written = part.withUnsafeBytes { write(writer, $0.baseAddress, $0.count) }
        try #require(written == part.count)
        #expect(try output.nextLine(by: deadline) == "/\(index)")
      }
      close(writer)
      isOpen = false
      let end = try child.wait(by: deadline)
      #expect(end.status == 0)
      #expect(child.errorOutput?.text == "")
    }
  }
}
