import Glibc
@testable import Platform
@testable import Shipping
@testable import Spool
import Testing

@Suite struct FileSinkTests {
  let directory = TemporaryDirectory()
  let warnings = Collected<String>()

  private func sink(
    _ name: String = "access.log", system: SystemCalls = .real, at now: Moment = .test,
    _ configure: (inout FileOptions) -> Void = { _ in }
  ) throws -> FileSink {
    var options = FileOptions(path: directory.file(name))
    configure(&options)
    return try FileSink(options, at: now, system: system) { [warnings] in warnings.append($0) }
  }

  /// The name of a finished file, in the time zone of the tests.
  private func stamped(_ name: String, _ moment: Moment, _ rest: String = "") -> String {
    let fields = LocalTime.fields(at: moment.wallSeconds)
    return "\(name).\(LocalTime.expand("%Y%m%dT%H%M%S", fields) ?? "")\(rest)"
  }

  @Test func aFileIsEmptiedUnlessItIsAppendedTo() throws {
    directory.write("access.log", "old\n")
    let first = try sink()
    try first.take(["new"])
    _ = try first.close(at: .test)
    #expect(directory.text("access.log") == "new\n")
    let second = try sink { $0.appends = true }
    try second.take(["newer"])
    #expect(directory.text("access.log") == "new\nnewer\n")
    #expect(warnings.all == [])
  }

  @Test func aReopenedFileIsNeverEmptied() throws {
    let sink = try sink()
    try sink.take(["one"])
    try sink.reopen(at: .test)
    try sink.take(["two"])
    #expect(directory.text("access.log") == "one\ntwo\n")
  }

  @Test func aFileIsFinishedAtTheEntryThatReachesTheSize() throws {
    let sink = try sink { $0.rotateBytes = 100 }
    try sink.take((10..<45).map { "line number \($0)" }, at: .test)
    // Lines of 15 bytes: the seventh line reaches 100 bytes.
    #expect(
      directory.names
        == ["access.log"]
        + ["", "-2", "-3", "-4", "-5"].map { stamped("access.log", .test, $0) }.sorted())
    #expect(directory.text("access.log") == "")
    for attempt in ["", "-2", "-5"] {
      let lines = splitLines(Array(directory.text(stamped("access.log", .test, attempt)).utf8))
      #expect(lines.count == 7)
    }
    #expect(directory.text(stamped("access.log", .test)).hasPrefix("line number 10\n"))
    #expect(directory.text(stamped("access.log", .test, "-5")).hasSuffix("line number 44\n"))
  }

  @Test func aFinishedFileIsNeverOverwritten() throws {
    directory.write(stamped("access.log", .test), "precious\n")
    let sink = try sink { $0.rotateBytes = 4 }
    try sink.take(["line"])
    #expect(directory.text(stamped("access.log", .test)) == "precious\n")
    #expect(directory.text(stamped("access.log", .test, "-2")) == "line\n")
  }

  @Test func periodsFollowTheClockEvenWithoutEntries() throws {
    // Quarters of an hour begin at the same time in every time zone.
    let sink = try sink { $0.rotateEverySeconds = 900 }
    try sink.take(["noon"])
    let wait = try #require(try sink.tick(at: .test))
    #expect(wait > 0 && wait <= 900_000_000_000)
    #expect(try sink.tick(at: Moment.test.later(seconds: 899)) == 1_000_000_000)
    #expect(directory.names == ["access.log"])
    let next = Moment.test.later(seconds: 900)
    _ = try sink.tick(at: next)
    #expect(directory.names == ["access.log", stamped("access.log", next)])
    // An empty file is not worth finishing.
    _ = try sink.tick(at: Moment.test.later(seconds: 1800))
    #expect(directory.names.count == 2)
    try sink.take(["later"], at: Moment.test.later(seconds: 1801))
    #expect(directory.text("access.log") == "later\n")
  }

  @Test func aFileOfAFormerPeriodIsFinishedWhenItIsTakenUp() throws {
    directory.write("access.log", "yesterday\n")
    let tomorrow = Moment.now().later(seconds: 86_400)
    let sink = try sink(at: tomorrow) {
      $0.appends = true
      $0.rotateEverySeconds = 86_400
    }
    try sink.take(["today"], at: tomorrow)
    #expect(directory.text("access.log") == "today\n")
    #expect(directory.text(stamped("access.log", tomorrow)) == "yesterday\n")
  }

  @Test func aNameMadeOfTimeIsOpenedAnewEachPeriod() throws {
    let sink = try sink("access-%s.log") { $0.rotateEverySeconds = 3600 }
    try sink.take(["first"])
    let next = Moment.test.later(seconds: 3600)
    try sink.take(["second"], at: next)
    #expect(
      directory.names
        == ["access-\(Moment.test.wallSeconds).log", "access-\(next.wallSeconds).log"])
    #expect(directory.text("access-\(next.wallSeconds).log") == "second\n")
    #expect(sink.name == directory.file("access-\(next.wallSeconds).log"))
  }

  @Test func percentSignsAreJustThatWhenTimeIsNotExpanded() throws {
    let sink = try sink("100%d.log") { $0.expandsTime = false }
    try sink.take(["line"])
    #expect(directory.names == ["100%d.log"])
  }

  @Test func theOldestFinishedFilesGoAndNothingElse() throws {
    let others = [
      "access.log.1", "access.log.20260101", "access.log.20260101T000000-1", "access.log.old",
      "access.log.20261301T000000", "error.log.20260101T000000", "access.log.20260101T000000.bz2",
      "access.log.20260101T000000-2x",
      // As made by another output with a similar name, or by this one with --gzip.
      "access.log.20250101T000000-3.gz",
    ]
    for name in others { directory.write(name, "mine\n") }
    directory.write("access.log.20250101T000000", "oldest\n")
    directory.write("access.log.20250101T000000-2", "old\n")
    let sink = try sink {
      $0.rotateBytes = 4
      $0.keep = 3
    }
    for second in 0..<3 {
      try sink.take(["line"], at: Moment.test.later(seconds: Double(second)))
    }
    let finished = (0..<3).map { stamped("access.log", Moment.test.later(seconds: Double($0))) }
    #expect(directory.names == (["access.log"] + others + finished).sorted())
    try sink.take(["line"], at: Moment.test.later(seconds: 3))
    #expect(!directory.names.contains(finished[0]))
    #expect(directory.names.contains(finished[1]))
    #expect(warnings.all == [])
  }

  @Test func filesNamedByTimeAreCountedByTheirTime() throws {
    for name in [
      "access-20261118.log", "access-20261119.log", "access-2026111.log", "access-x.log",
    ] {
      directory.write(name, "old\n")
    }
    let sink = try sink("access-%Y%m%d.log") {
      $0.rotateEverySeconds = 86_400
      $0.keep = 2
    }
    try sink.take(["today"])
    let next = Moment.test.later(seconds: 86_400)
    try sink.take(["tomorrow"], at: next)
    #expect(!directory.names.contains("access-20261118.log"))
    #expect(directory.names.contains("access-20261119.log"))
    #expect(directory.names.contains("access-2026111.log"))
    #expect(directory.names.count == 5)
  }

  @Test func aFailureToPruneIsSaidOnceAndShippingGoesOn() throws {
    let faults = FaultPlan { call, _ in call == .unlink ? .fail(EACCES) : nil }
    let sink = try sink(system: faults.system) {
      $0.rotateBytes = 4
      $0.keep = 0
    }
    try sink.take(["one", "two ", "three"])
    #expect(directory.names.count == 4)
    #expect(warnings.all.count == 1)
    #expect(warnings.all.first?.contains("unlink: Permission denied") == true)
  }

  @Test func aFileThatCannotBeRenamedGoesOnGrowing() throws {
    let faults = FaultPlan { call, count in
      call == .rename && count == 1 ? .fail(EROFS) : nil
    }
    let sink = try sink(system: faults.system) { $0.rotateBytes = 10 }
    try sink.take(["0123456789"])
    #expect(directory.names == ["access.log"])
    #expect(
      warnings.all == [
        "\(directory.file("access.log")): rename: Read-only file system; the file goes on growing"
      ])
    try sink.take(["next", "last"])
    #expect(directory.names.count == 2, "tried again one size later")
    #expect(
      directory.text(stamped("access.log", .test)) == "0123456789\nnext\nlast\n")
  }

  @Test func aTornLineIsCutBeforeAppending() throws {
    directory.write("access.log", "whole\ntorn")
    let sink = try sink { $0.appends = true }
    try sink.take(["next"])
    #expect(directory.text("access.log") == "whole\nnext\n")
    #expect(
      warnings.all == [
        "\(directory.file("access.log")): cut 4 bytes of a torn line, 6 bytes are left"
      ])
  }

  @Test func aLongTornLineIsCutToo() throws {
    directory.write("access.log", "whole\n" + String(repeating: "x", count: 200_000))
    let sink = try sink { $0.appends = true }
    try sink.take(["next"])
    #expect(directory.text("access.log") == "whole\nnext\n")
  }

  @Test func whatCannotBeOpenedIsOneClearLine() throws {
    for (name, text) in [
      (
        "missing/access.log",
        "open: No such file or directory; there is no \(directory.file("missing"))"
      ),
      ("", "open: Is a directory"),
    ] {
      let error = #expect(throws: SystemError.self) { try sink(name) }
      #expect(error?.description == "\(directory.file(name)): \(text)")
    }
    let denied = FaultPlan { call, _ in call == .open ? .fail(EACCES) : nil }
    let error = #expect(throws: SystemError.self) { try sink(system: denied.system) }
    #expect(
      error?.description.hasPrefix("\(directory.file("access.log")): open: Permission denied; ") == true)
  }

  @Test func keepingWithoutKnowingWhatToKeepIsRefused() throws {
    let error = #expect(throws: SystemError.self) { try sink("access-%c.log") { $0.keep = 3 } }
    #expect(error?.description.contains("finished files cannot be told from others") == true)
    #expect(throws: Never.self) { try sink("access-%c.log") }
  }

  @Test func devicesAreStreams() throws {
    let full = try FileSink.open(FileOptions(path: "/dev/full")) { _ in }
    let error = #expect(throws: SystemError.self) { try full.take(["line"]) }
    #expect(error?.description == "/dev/full: write: No space left on device")
  }

  @Test func aFileThatIsEmptiedByOthersIsWrittenFromItsStart() throws {
    let sink = try sink()
    try sink.take(["one"])
    truncate(directory.file("access.log"), 0)
    try sink.take(["two"])
    #expect(directory.text("access.log") == "two\n")
  }
}
