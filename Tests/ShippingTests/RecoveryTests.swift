import Compression
@testable import Spool
import Glibc
@testable import Platform
@testable import Shipping
import Testing

/// Files that disappear while the sink uses them, and files that a kill has left.
@Suite struct RecoveryTests {
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

  private func stamp(_ moment: Moment = .test) -> String {
    LocalTime.expand("%Y%m%dT%H%M%S", LocalTime.fields(at: moment.wallSeconds)) ?? ""
  }

  private var deletedWarning: String {
    "\(directory.file("access.log")): was deleted; what was in it is gone, and a new file is begun"
  }

  // MARK: Files that go away

  @Test func aDeletedFileIsBegunAnewWithWhatMetTheDeletion() throws {
    let sink = try sink { $0.content = .lines(header: Array("# header\n".utf8)) }
    try sink.take(["gone"])
    unlink(directory.file("access.log"))
    try sink.take(["kept"])
    try sink.take(["too"])
    #expect(directory.text("access.log") == "# header\nkept\ntoo\n")
    #expect(warnings.all == [deletedWarning])
  }

  @Test func aDeletedCompressedFileIsBegunAnewWithTheMemberThatMetTheDeletion() throws {
    let sink = try sink { $0.compression = .gzip(level: 6) }
    try sink.take(["gone"])
    try sink.flush(at: .test)
    unlink(directory.file("access.log"))
    try sink.take(["kept"])
    try sink.flush(at: .test)
    #expect(directory.unzipped("access.log") == ("kept\n", true))
    #expect(warnings.all == [deletedWarning])
  }

  @Test func aMovedFileIsWrittenToUntilItIsReopened() throws {
    let sink = try sink()
    try sink.take(["one"])
    rename(directory.file("access.log"), directory.file("access.log.1"))
    try sink.take(["two"])
    #expect(directory.names == ["access.log.1"])
    try sink.reopen(at: .test)
    try sink.take(["three"])
    #expect(directory.text("access.log.1") == "one\ntwo\n")
    #expect(directory.text("access.log") == "three\n")
    #expect(warnings.all == [])
  }

  @Test(arguments: [false, true])
  func aDirectoryThatVanishesIsWaitedFor(isCompressed: Bool) throws {
    mkdir(directory.file("logs"), 0o755)
    let sink = try sink("logs/access.log") { $0.compression = isCompressed ? .gzip(level: 1) : nil }
    try sink.take(["gone"])
    try sink.flush(at: .test)
    unlink(directory.file("logs/access.log"))
    rmdir(directory.file("logs"))
    let carried = try sink.carry(["a", "b", "c"]) { turn in
      if turn == 5 { mkdir(directory.file("logs"), 0o755) }
    }
    #expect(carried.isClosed)
    #expect(carried.failures.count >= 4)
    #expect(carried.failures.allSatisfy { $0.operation == "open" && $0.code == ENOENT && !$0.isFinal })
    #expect(directory.joined(["logs/access.log"], isCompressed: isCompressed) == "a\nb\nc\n")
    #expect(warnings.all.count == 1)
    unlink(directory.file("logs/access.log"))
    rmdir(directory.file("logs"))
  }

  @Test func aRotationInsideAVanishedDirectoryIsFinishedWhenItIsBack() throws {
    mkdir(directory.file("logs"), 0o755)
    let sink = try sink("logs/access.log") { $0.rotateBytes = 4 }
    try sink.take(["one"], at: .test)
    #expect(throws: Never.self) { try sink.take(["two"]) }
    rename(directory.file("logs"), directory.file("elsewhere"))
    let carried = try sink.carry(["three", "four"]) { turn in
      if turn == 6 { mkdir(directory.file("logs"), 0o755) }
    }
    #expect(carried.isClosed)
    #expect(carried.failures.count >= 3)
    // The file that was open in the moved directory has taken one more line, as any moved file does.
    #expect(directory.text("elsewhere/access.log") == "three\n")
    let again = (try? SystemCalls.real.names(inDirectory: directory.file("logs"))) ?? []
    #expect(again.contains("access.log.\(stamp())"))
    #expect(shell("cat '\(directory.file("logs"))'/*").text == "four\n")
    shellRemove("logs")
    shellRemove("elsewhere")
  }

  private func shellRemove(_ name: String) { _ = shell("rm -rf '\(directory.file(name))'") }

  @Test func somebodyElsesNewFileIsNotPutAway() throws {
    let sink = try sink { $0.rotateBytes = 8 }
    try sink.take(["one"])
    rename(directory.file("access.log"), directory.file("access.log.1"))
    directory.write("access.log", "theirs\n")
    try sink.take(["two"])
    #expect(directory.text("access.log.1") == "one\ntwo\n")
    #expect(directory.names == ["access.log", "access.log.1"])
    // The new file is appended to, like any existing file.
    try sink.take(["."])
    #expect(directory.text("access.log.\(stamp())") == "theirs\n.\n")
  }

  @Test func aReopenRescuesWhatTheOldFileDoesNotTake() throws {
    let faults = FaultPlan { call, count in call == .write && count == 2 ? .fail(ENOSPC) : nil }
    let sink = try sink(system: faults.system) { $0.compression = .gzip(level: 6) }
    try sink.take(["line"])
    rename(directory.file("access.log"), directory.file("moved"))
    try sink.reopen(at: .test)
    try sink.flush(at: .test)
    #expect(directory.unzipped("moved") == ("", true))
    #expect(directory.unzipped("access.log") == ("line\n", true))
    #expect(sink.unsettled == .zero)
  }

  @Test func aTornEntryThatCannotBeCutAtOnceIsCutBeforeTheNext() throws {
    let faults = FaultPlan { call, count in
      switch call {
      case .write: count == 1 ? .short(10) : count == 2 ? .fail(ENOSPC) : nil
      case .ftruncate: count <= 2 ? .fail(EIO) : nil
      default: nil
      }
    }
    let sink = try sink(system: faults.system)
    let carried = try sink.carry(["123", "567", "9ab", "def"])
    #expect(carried.failures.map(\.operation) == ["ftruncate"])
    #expect(directory.text("access.log") == "123\n567\n9ab\ndef\n")
  }

  // MARK: What a kill has left

  @Test func partOfAHeaderIsNoFile() throws {
    let header = "# version\n# fields\n"
    for count in [1, 5, 10, 15, 18] {
      directory.write("access.log", String(header.prefix(count)))
      let sink = try sink {
        $0.appends = true
        $0.content = .lines(header: Array(header.utf8))
      }
      try sink.take(["line"])
      #expect(directory.text("access.log") == header + "line\n")
    }
    #expect(warnings.all.count == 5)
  }

  @Test func aTornFileIsAsOldAsItsLastLine() throws {
    directory.write("access.log", "whole\ntorn")
    let path = directory.file("access.log")
    var times = [timespec(tv_sec: 1_700_000_000, tv_nsec: 0), timespec(tv_sec: 1_700_000_000, tv_nsec: 5)]
    try #require(utimensat(AT_FDCWD, path, &times, 0) == 0)
    let sink = try sink {
      $0.appends = true
      $0.rotateEverySeconds = 3600
    }
    try sink.take(["today"])
    #expect(directory.text("access.log.\(stamp())") == "whole\n", "it belongs to a period long ago")
    #expect(directory.text("access.log") == "today\n")
    #expect(SystemCalls.real.status(ofPath: path + ".\(stamp())")?.st_mtim.tv_sec == 1_700_000_000)
  }

  @Test func aTornFileOfAFormerPeriodIsMendedAtTheStart() throws {
    // A torn file of another output.
    directory.write("access-1000.log", "left as it is")
    try leave("access-2000.log") { try $0.take(["whole"]) }
    directory.extend("access-2000.log", "torn")
    let sink = try sink("access-%s.log") { $0.rotateEverySeconds = 3600 }
    try sink.take(["line"])
    #expect(directory.text("access-2000.log") == "whole\n")
    #expect(directory.text("access-1000.log") == "left as it is")
    #expect(
      warnings.all == ["\(directory.file("access-2000.log")): cut 4 bytes of a torn line, 6 bytes are left"])
  }

  /// Leaves the file of a run of `access-%s.log` at the time in the name.
  private func leave(_ name: String, gzip: Int? = nil, _ fill: (FileSink) throws -> Void) throws {
    let seconds = try #require(Int64(name.filter(\.isNumber)))
    let then = Moment(wallSeconds: seconds, steadyNanoseconds: 1)
    let sink = try sink("access-%s.log", at: then) { $0.compression = gzip.map { .gzip(level: $0) } }
    try fill(sink)
    _ = try sink.close(at: then)
    sink.abandon()
  }

  @Test func compressedFilesOfFormerPeriodsAreFinishedAtTheStart() throws {
    try leave("access-1000.log", gzip: 6) { try $0.take(["one"]) }
    try leave("access-2000.log", gzip: 6) { sink in
      try sink.take(["two"])
      try sink.flush(at: .test)
      try sink.take(["torn"])
    }
    truncate(
      directory.file("access-2000.log"),
      Int(SystemCalls.real.status(ofPath: directory.file("access-2000.log"))?.st_size ?? 0) - 3)
    try leave("access-3000.log", gzip: 6) { _ in }
    truncate(directory.file("access-3000.log"), 0)
    directory.write("access-4000.log", "plain text, and so not ours\n")
    let sink = try sink("access-%s.log") {
      $0.compression = .gzip(level: 6)
      $0.rotateEverySeconds = 3600
      $0.postRotate = "true"
    }
    defer { sink.finished.command?.awaitEnd() }
    try sink.take(["line"])
    #expect(
      directory.names == [
        "access-1000.log.gz", "access-\(Moment.test.wallSeconds).log", "access-2000.log.gz",
        "access-4000.log",
      ])
    #expect(directory.unzipped("access-1000.log.gz") == ("one\n", true))
    #expect(directory.unzipped("access-2000.log.gz") == ("two\n", true))
    #expect(warnings.all.count == 1, "\(warnings.all)")
  }

  @Test func aSuffixThatCannotBeGivenIsGivenLater() throws {
    let faults = FaultPlan { call, count in call == .rename && count == 1 ? .fail(EROFS) : nil }
    let sink = try sink("access-%s.log", system: faults.system) {
      $0.compression = .gzip(level: 6)
      $0.rotateEverySeconds = 3600
    }
    try sink.take(["first"])
    let next = Moment.test.later(seconds: 3600)
    _ = try sink.tick(at: next)
    let name = "access-\(Moment.test.wallSeconds).log"
    // The compression is tried again at once, because every rotation looks for files that are left over.
    #expect(directory.names == ["\(name).gz", "access-\(next.wallSeconds).log"])
    #expect(warnings.all.count == 1)
  }
}
