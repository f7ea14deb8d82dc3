import Checkpoints
import Compression
import Glibc
@testable import Platform
@testable import Shipping
@testable import Spool
import Testing

@Suite struct CompressedFileTests {
  private static let formats = CompressionFormat.allCases

  let directory = TemporaryDirectory()
  let warnings = Collected<String>()

  private func sink(
    _ name: String = "access.log.gz", _ format: CompressionFormat = .gzip, system: SystemCalls = .real,
    at now: Moment = .test, _ configure: (inout FileOptions) -> Void = { _ in }
  ) throws -> FileSink {
    var options = FileOptions(path: directory.file(name))
    options.compression = CompressionMethod(format, level: 6)
    configure(&options)
    return try FileSink(options, at: now, system: system) { [warnings] in warnings.append($0) }
  }

  private func stamp(_ moment: Moment) -> String {
    LocalTime.expand("%Y%m%dT%H%M%S", LocalTime.fields(at: moment.wallSeconds)) ?? ""
  }

  private func size(_ name: String) -> Int {
    Int(SystemCalls.real.status(ofPath: directory.file(name))?.st_size ?? -1)
  }

  @Test(arguments: formats)
  func `a member is written within a second, and only whole`(format: CompressionFormat) throws {
    let name = "access.log" + format.suffix
    let sink = try sink(name, format)
    try sink.take(["one", "two"])
    #expect(directory.unzipped(name, format.rawValue) == ("", true), "valid from the beginning")
    #expect(sink.unsettled == Tally(entries: 2, bytes: 8))
    let wait = try #require(try sink.tick(at: .test))
    #expect(wait > 0 && wait <= 1_000_000_000)
    try sink.take(["three"], at: Moment.test.later(seconds: 0.5))
    #expect(directory.unzipped(name, format.rawValue) == ("", true))
    #expect(try sink.tick(at: Moment.test.later(seconds: 1)) == nil)
    #expect(sink.unsettled == .zero)
    #expect(directory.unzipped(name, format.rawValue) == ("one\ntwo\nthree\n", true))
    try sink.take(["four"], at: Moment.test.later(seconds: 2))
    _ = try sink.close(at: Moment.test.later(seconds: 2))
    #expect(directory.unzipped(name, format.rawValue) == ("one\ntwo\nthree\nfour\n", true))
  }

  @Test(arguments: formats)
  func `the file is valid after every write`(format: CompressionFormat) throws {
    let name = "access.log" + format.suffix
    var generator = SeededGenerator(seed: 7)
    let sink = try sink(name, format)
    var expected = ""
    let empty = size(name)
    var before = empty
    for round in 0..<12 {
      let lines = (0..<4000).map { "round \(round) line \($0) \(generator.next())" }
      try sink.take(lines)
      expected += lines.map { $0 + "\n" }.joined()
      if size(name) > before {
        before = size(name)
        let (text, isValid) = directory.unzipped(name, format.rawValue)
        #expect(isValid)
        #expect(text.utf8.count == expected.utf8.count - sink.unsettled.bytes)
        #expect(expected.hasPrefix(text))
        #expect(sink.unsettled.bytes < MemberWriter.byteCountMax)
      }
    }
    #expect(before > empty, "two members' worth of lines have been written")
  }

  @Test(arguments: formats)
  func `entries larger than a member pass`(format: CompressionFormat) throws {
    let name = "access.log" + format.suffix
    let large = String(repeating: "xyz", count: 1_000_000)
    let sink = try sink(name, format) { $0.compression = CompressionMethod(format, level: 1) }
    try sink.take(["a", large, "b"])
    _ = try sink.close(at: .test)
    #expect(directory.unzipped(name, format.rawValue) == ("a\n\(large)\nb\n", true))
  }

  @Test func finishedFilesAreCalledGzWhateverTheCurrentOneIs() throws {
    for name in ["access.log", "other.log.gz"] {
      let sink = try sink(name) { $0.rotateBytes = 1 }
      try sink.take(["line"])
      try sink.flush(at: .test)
      _ = try sink.tick(at: .test)
      // A member without contents isn't finished again.
      _ = try sink.tick(at: Moment.test.later(seconds: 5))
    }
    #expect(
      directory.names == [
        "access.log", "access.log.\(stamp(.test)).gz", "other.log.\(stamp(.test)).gz",
        "other.log.gz",
      ])
    #expect(directory.unzipped("access.log.\(stamp(.test)).gz") == ("line\n", true))
  }

  @Test func aNameMadeOfTimeGetsItsSuffixWhenItIsFinished() throws {
    let sink = try sink("access-%s.log") { $0.rotateEverySeconds = 3600 }
    try sink.take(["first"])
    let next = Moment.test.later(seconds: 3600)
    try sink.take(["second"], at: next)
    #expect(
      directory.names == [
        "access-\(Moment.test.wallSeconds).log.gz", "access-\(next.wallSeconds).log",
      ])
    #expect(
      directory.unzipped("access-\(Moment.test.wallSeconds).log.gz") == ("first\n", true))
  }

  @Test(arguments: formats)
  func `size means the size on disk`(format: CompressionFormat) throws {
    let name = "access.log" + format.suffix
    var generator = SeededGenerator(seed: 3)
    let sink = try sink(name, format) { $0.rotateBytes = 100_000 }
    for second in 0..<20 {
      let lines = (0..<1000).map { _ in "\(generator.next()) \(generator.next())" }
      try sink.take(lines, at: Moment.test.later(seconds: Double(second)))
    }
    let finished = directory.names.filter { $0 != name }
    #expect(finished.count > 1)
    for name in finished {
      #expect((100_000..<140_000).contains(size(name)), "one member more at most")
      #expect(directory.unzipped(name, format.rawValue).isValid)
    }
  }

  @Test(arguments: formats, [1, 2, 4, 9, 10, 11, 15])
  func `a torn member is cut before appending`(format: CompressionFormat, left: Int) throws {
    let name = "access.log" + format.suffix
    let first = try sink(name, format)
    try first.take(["first"])
    try first.flush(at: .test)
    let whole = size(name)
    try first.take(["second"])
    _ = try first.close(at: .test)
    truncate(directory.file(name), whole + left)
    #expect(!directory.unzipped(name, format.rawValue).isValid)
    let second = try sink(name, format) { $0.appends = true }
    try second.take(["third"])
    _ = try second.close(at: .test)
    #expect(directory.unzipped(name, format.rawValue) == ("first\nthird\n", true))
    #expect(
      warnings.all == [
        "\(directory.file(name)): cut \(left) bytes of a torn \(format.partName), "
          + "\(whole) bytes are left"
      ])
  }

  @Test(arguments: formats)
  func `a whole file is appended to as it is`(format: CompressionFormat) throws {
    let name = "access.log" + format.suffix
    let first = try sink(name, format)
    try first.take((0..<50_000).map { "line \($0)" })
    _ = try first.close(at: .test)
    let before = directory.unzipped(name, format.rawValue).text
    let second = try sink(name, format) { $0.appends = true }
    try second.take(["last"])
    _ = try second.close(at: .test)
    #expect(directory.unzipped(name, format.rawValue) == (before + "last\n", true))
    #expect(warnings.all == [])
  }

  @Test(arguments: formats)
  func `what isn't compressed in the format is put aside untouched`(format: CompressionFormat) throws {
    let name = "access.log" + format.suffix
    directory.write(name, "plain text\n")
    let sink = try sink(name, format) { $0.appends = true }
    try sink.take(["line"])
    _ = try sink.close(at: .test)
    #expect(directory.text("access.log.\(stamp(.test)).not-\(format)") == "plain text\n")
    #expect(directory.unzipped(name, format.rawValue) == ("line\n", true))
    let path = directory.file(name)
    #expect(
      warnings.all == ["\(path): not a \(format) file: put aside as access.log.\(stamp(.test)).not-\(format)"]
    )
  }

  @Test func aMemberThatCannotBeWrittenIsCountedAsLost() throws {
    let faults = FaultPlan { call, count in
      call == .write && count == 3 ? .fail(ENOSPC) : nil
    }
    let clock = TestClock()
    let output = try Output(to: sink(system: faults.system), options: Output.Options(clock: { clock.now }))
    var writer = output.makeWriter()
    writer.append("first")
    writer.publish()
    output.requestFlush()
    while output.report.written.entries < 1 {
      output.requestFlush()
      sched_yield()
    }
    writer.append("second")
    writer.append("third")
    writer.finish()
    let report = output.join(drainSeconds: 10)
    #expect(report.written == Tally(entries: 1, bytes: 6))
    #expect(report.droppedByFailure == Tally(entries: 2, bytes: 13))
    #expect(report.undelivered == .zero)
    #expect(report.failure?.description.hasSuffix("write: No space left on device") == true)
    #expect(directory.unzipped("access.log.gz") == ("first\n", true))
  }

  // MARK: The first member

  /// The output of a program that reads only the first member or frame.
  private func firstPart(_ name: String, _ format: CompressionFormat) throws -> String {
    var decompressor = try Decompressor(format)
    var text: [UInt8] = []
    // Byte by byte, so that all output is known to come from the first member.
    for byte in directory.bytes(name) {
      let piece = [byte]
      var consumed = 0
      while consumed == 0 || decompressor.isHoldingBack {
        var room = [UInt8](repeating: 0, count: 4096)
        var span = room.mutableSpan
        var bytes = span.mutableBytes
        let progress = try decompressor.decode(
          piece.span.bytes.extracting(droppingFirst: consumed), into: &bytes)
        consumed += progress.consumed
        text += room.prefix(progress.produced)
        if progress.consumed == 0, progress.produced == 0 { break }
      }
      if decompressor.wholeByteCount > 0 { break }
    }
    return String(decoding: text, as: UTF8.self)
  }

  @Test(arguments: formats, [1, 6, 9])
  func `a program that reads one member sees the first lines`(format: CompressionFormat, level: Int) throws {
    let name = "access.log" + format.suffix
    let sink = try sink(name, format) { $0.compression = CompressionMethod(format, level: level) }
    #expect(directory.unzipped(name, format.rawValue) == ("", true), "valid from the beginning")
    #expect(directory.bytes(name) == format.emptyPart)
    try sink.take(["one", "two"])
    try sink.flush(at: .test)
    #expect(try firstPart(name, format) == "one\ntwo\n")
    let place = try #require(sink.place)
    #expect(place.byteCount == size(name))
    try sink.take(["three"])
    _ = try sink.close(at: .test)
    #expect(try firstPart(name, format) == "one\ntwo\n")
    #expect(directory.unzipped(name, format.rawValue) == ("one\ntwo\nthree\n", true))
  }

  @Test(arguments: formats)
  func `so it does if another run has begun the file, or another process has emptied it`(
    format: CompressionFormat
  ) throws {
    let name = "access.log" + format.suffix
    _ = try sink(name, format).close(at: .test)
    let sink = try sink(name, format) { $0.appends = true }
    try sink.take(["one"])
    try sink.flush(at: .test)
    #expect(try firstPart(name, format) == "one\n")
    truncate(directory.file(name), 0)
    try sink.take(["two"])
    _ = try sink.close(at: .test)
    #expect(try firstPart(name, format) == "two\n")
    #expect(directory.unzipped(name, format.rawValue) == ("two\n", true))
    #expect(warnings.all == [])
  }

  @Test(arguments: formats, [SystemCalls.Call.pwrite, .open])
  func `where the beginning can't be changed, the file is as valid`(
    format: CompressionFormat, failing: SystemCalls.Call
  ) throws {
    let name = "access.log" + format.suffix
    let faults = FaultPlan { call, count in
      call == failing && (call == .pwrite || count > 1) ? .fail(EPERM) : nil
    }
    let sink = try sink(name, format, system: faults.system)
    try sink.take(["one"])
    _ = try sink.close(at: .test)
    #expect(directory.bytes(name).starts(with: format.emptyPart))
    #expect(directory.unzipped(name, format.rawValue) == ("one\n", true))
    #expect(warnings.all == [])
  }

  @Test func `lines in front of all entries are the first member`() throws {
    let sink = try sink { $0.content = .lines(header: Array("# fields\n".utf8)) }
    try sink.take(["one"])
    _ = try sink.close(at: .test)
    #expect(try firstPart("access.log.gz", .gzip) == "# fields\n")
    #expect(directory.unzipped("access.log.gz") == ("# fields\none\n", true))
  }
}
