import Glibc
@testable import Platform
@testable import Shipping
@testable import Spool
import Testing

@Suite struct GzipTests {
  let directory = TemporaryDirectory()
  let warnings = Collected<String>()

  private func sink(
    _ name: String = "access.log.gz", system: SystemCalls = .real, at now: Moment = .test,
    _ configure: (inout FileOptions) -> Void = { _ in }
  ) throws -> FileSink {
    var options = FileOptions(path: directory.file(name))
    options.gzipLevel = 6
    configure(&options)
    return try FileSink(options, at: now, system: system) { [warnings] in warnings.append($0) }
  }

  private func stamp(_ moment: Moment) -> String {
    LocalTime.expand("%Y%m%dT%H%M%S", LocalTime.fields(at: moment.wallSeconds)) ?? ""
  }

  private func size(_ name: String) -> Int {
    Int(SystemCalls.real.status(ofPath: directory.file(name))?.st_size ?? -1)
  }

  @Test func aMemberIsWrittenWithinASecondAndOnlyWhole() throws {
    let sink = try sink()
    try sink.take(["one", "two"])
    #expect(directory.unzipped("access.log.gz") == ("", true), "valid from the beginning")
    #expect(sink.unsettled == Tally(entries: 2, bytes: 8))
    let wait = try #require(try sink.tick(at: .test))
    #expect(wait > 0 && wait <= 1_000_000_000)
    try sink.take(["three"], at: Moment.test.later(seconds: 0.5))
    #expect(directory.unzipped("access.log.gz") == ("", true))
    #expect(try sink.tick(at: Moment.test.later(seconds: 1)) == nil)
    #expect(sink.unsettled == .zero)
    #expect(directory.unzipped("access.log.gz") == ("one\ntwo\nthree\n", true))
    try sink.take(["four"], at: Moment.test.later(seconds: 2))
    _ = try sink.close(at: Moment.test.later(seconds: 2))
    #expect(directory.unzipped("access.log.gz") == ("one\ntwo\nthree\nfour\n", true))
  }

  @Test func theFileIsValidAfterEveryWrite() throws {
    var generator = SeededGenerator(seed: 7)
    let sink = try sink()
    var expected = ""
    let empty = size("access.log.gz")
    var before = empty
    for round in 0..<12 {
      let lines = (0..<4000).map { "round \(round) line \($0) \(generator.next())" }
      try sink.take(lines)
      expected += lines.map { $0 + "\n" }.joined()
      if size("access.log.gz") > before {
        before = size("access.log.gz")
        let (text, isValid) = directory.unzipped("access.log.gz")
        #expect(isValid)
        #expect(text.utf8.count == expected.utf8.count - sink.unsettled.bytes)
        #expect(expected.hasPrefix(text))
        #expect(sink.unsettled.bytes < MemberWriter.byteCountMax)
      }
    }
    #expect(before > empty, "two members' worth of lines have been written")
  }

  @Test func entriesLargerThanAMemberPass() throws {
    let large = String(repeating: "xyz", count: 1_000_000)
    let sink = try sink { $0.gzipLevel = 1 }
    try sink.take(["a", large, "b"])
    _ = try sink.close(at: .test)
    #expect(directory.unzipped("access.log.gz") == ("a\n\(large)\nb\n", true))
  }

  @Test func finishedFilesAreCalledGzWhateverTheCurrentOneIs() throws {
    for name in ["access.log", "other.log.gz"] {
      let sink = try sink(name) { $0.rotateBytes = 1 }
      try sink.take(["line"])
      try sink.flush(at: .test)
      _ = try sink.tick(at: .test)
      // With nothing in it, it is not finished again.
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

  @Test func sizeMeansTheSizeOnDisk() throws {
    var generator = SeededGenerator(seed: 3)
    let sink = try sink { $0.rotateBytes = 100_000 }
    for second in 0..<20 {
      let lines = (0..<1000).map { _ in "\(generator.next()) \(generator.next())" }
      try sink.take(lines, at: Moment.test.later(seconds: Double(second)))
    }
    let finished = directory.names.filter { $0 != "access.log.gz" }
    #expect(finished.count > 1)
    for name in finished {
      #expect((100_000..<140_000).contains(size(name)), "one member more at most")
      #expect(directory.unzipped(name).isValid)
    }
  }

  @Test(arguments: [1, 2, 9, 10, 11, 15, 25])
  func aTornMemberIsCutBeforeAppending(left: Int) throws {
    let first = try sink()
    try first.take(["first"])
    try first.flush(at: .test)
    let whole = size("access.log.gz")
    try first.take(["second"])
    _ = try first.close(at: .test)
    truncate(directory.file("access.log.gz"), whole + left)
    #expect(!directory.unzipped("access.log.gz").isValid)
    let second = try sink { $0.appends = true }
    try second.take(["third"])
    _ = try second.close(at: .test)
    #expect(directory.unzipped("access.log.gz") == ("first\nthird\n", true))
    #expect(
      warnings.all == [
        "\(directory.file("access.log.gz")): cut \(left) bytes of a torn gzip member, "
          + "\(whole) bytes are left"
      ])
  }

  @Test func aWholeFileIsAppendedToAsItIs() throws {
    let first = try sink()
    try first.take((0..<50_000).map { "line \($0)" })
    _ = try first.close(at: .test)
    let before = directory.unzipped("access.log.gz").text
    let second = try sink { $0.appends = true }
    try second.take(["last"])
    _ = try second.close(at: .test)
    #expect(directory.unzipped("access.log.gz") == (before + "last\n", true))
    #expect(warnings.all == [])
  }

  @Test func whatIsNoGzipFileIsPutAsideUntouched() throws {
    directory.write("access.log.gz", "plain text\n")
    let sink = try sink { $0.appends = true }
    try sink.take(["line"])
    _ = try sink.close(at: .test)
    #expect(directory.text("access.log.\(stamp(.test)).not-gzip") == "plain text\n")
    #expect(directory.unzipped("access.log.gz") == ("line\n", true))
    let path = directory.file("access.log.gz")
    #expect(
      warnings.all == ["\(path): not a gzip file: put aside as access.log.\(stamp(.test)).not-gzip"])
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
}
