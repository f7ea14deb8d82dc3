import Compression
import Glibc
@testable import Platform
@testable import Shipping
import Testing

/// Retention deletes the oldest files, even if the clock and the names suggest another order, and no files of
/// other outputs.
@Suite struct FileOrderTests: FileSinkSuite {
  let directory = TemporaryDirectory()
  let warnings = Collected<String>()

  /// Naming schemes whose names repeat, the period after which they do, and a boundary of it.
  @Test(arguments: [
    ("access-%d.log", 86_400, 12), ("access-%a.log", 86_400, 6), ("access-%H.log", 3600, 20),
    ("access-%M.log", 60, 50), ("access-%S.log", 1, 50), ("access-%m.log", 2_678_400, 9),
    ("access-%j.log", 86_400, 60), ("%y/%H/access.log", 3600, 20), ("access.log", 3600, 20),
  ])
  func namesThatRepeatAreKeptByTheirAge(name: String, period: Int, count: Int) throws {
    let sink = try sink(name) {
      $0.rotateEverySeconds = period
      $0.keep = 4
    }
    for number in 0..<count {
      try sink.take(["\(number)"], at: Moment.test.later(seconds: Double(number * period)))
    }
    #expect(try texts() == Array(count - 5..<count))
    removeDirectories()
  }

  /// Each period has a run of its own, as after a restart or when started by cron.
  @Test(arguments: ["access-%d.log", "access-%a.log", "%d/access.log"], [nil, 6] as [Int?])
  func runsOneAfterTheOtherKnowTheOrder(name: String, gzip: Int?) throws {
    for day in 0..<12 {
      try run("\(day)", to: name, at: Moment.test.later(seconds: Double(day * 86_400))) {
        $0.rotateEverySeconds = 86_400
        $0.compression = gzip.map { .gzip(level: $0) }
        $0.keep = 4
      }
    }
    let kept = try texts()
    #expect(kept == Array(7..<12))
    removeDirectories()
  }

  @Test(arguments: [86_400, 3600, 1, 400 * 86_400] as [Double])
  func aClockThatIsSetBackDeletesNothingNew(seconds: Double) throws {
    let sink = try sink {
      $0.rotateBytes = 2
      $0.keep = 3
    }
    for number in 0..<12 {
      // Only the wall clock is set back, twice; the steady clock never is.
      let later = Moment.test.later(seconds: Double(number))
      let back = number < 4 ? 0 : number < 8 ? seconds : 2 * seconds
      let now = Moment(
        wallSeconds: later.wallSeconds - Int64(back), steadyNanoseconds: later.steadyNanoseconds)
      try sink.take(["\(number)"], at: now)
      #expect(try texts() == Array(max(0, number - 2)...number))
    }
  }

  @Test(arguments: ["access.log", "access-%s.log"])
  func aClockThatIsSetBackBetweenRunsDeletesNothingNew(name: String) throws {
    for number in 0..<9 {
      let now = Moment.test.later(seconds: Double(number < 5 ? 90_000 + number : number))
      try run("\(number)", to: name, at: now) {
        $0.rotateEverySeconds = 1
        $0.keep = 3
      }
    }
    #expect(try texts() == [5, 6, 7, 8])
  }

  @Test func whereFilesHaveNoAttributesARunKnowsTheOrderAllTheSame() throws {
    let faults = FaultPlan { call, _ in call == .setxattr || call == .getxattr ? .fail(ENOTSUP) : nil }
    let sink = try sink("access-%S.log", system: faults.system) {
      $0.rotateEverySeconds = 1
      $0.keep = 4
    }
    for number in 0..<55 {
      try sink.take(["\(number)"], at: Moment.test.later(seconds: Double(number)))
    }
    #expect(try texts() == Array(50..<55))
  }

  private static let outputs: [(String, Int?, String, Int?)] = [
    ("access.log", nil, "access.log.gz", 6), ("access.log.gz", 6, "access.log", nil),
    ("access.log", nil, "access.log.gz", nil), ("access.log.gz", 6, "access.log.gz", nil),
    ("access-%d.log", nil, "access-%H.log", nil), ("access-%S.log", nil, "access-%M.log", nil),
    ("access-%d.log", 6, "access-%d.log.gz", 6), ("access-%d.log", nil, "access-%d.log.gz", nil),
    ("%d/access.log", nil, "%H/access.log", nil),
  ]

  /// Files of another output stay, even if this output might have used the name.
  @Test(arguments: outputs)
  func filesOfOtherOutputsStay(name: String, gzip: Int?, otherName: String, otherGzip: Int?) throws {
    let other = try sink(otherName) {
      $0.rotateBytes = 1
      $0.compression = otherGzip.map { .gzip(level: $0) }
    }
    for number in 0..<4 {
      let now = Moment.test.later(seconds: Double(number) * 86_400)
      try other.take(["\(number)"], at: now)
      try other.flush(at: now)
      _ = try other.tick(at: now)
    }
    let theirs = Set(allFiles())
    let sink = try sink(name, at: Moment.test.later(seconds: 1000)) {
      $0.appends = true
      $0.rotateBytes = 1
      $0.compression = gzip.map { .gzip(level: $0) }
      $0.keep = 1
    }
    for number in 0..<6 {
      let now = Moment.test.later(seconds: 1000 + Double(number) * 86_400)
      try sink.take(["\(10 + number)"], at: now)
      try sink.flush(at: now)
      _ = try sink.tick(at: now)
    }
    let kept = Set(allFiles())
    // A current file that both outputs would write to is a different case.
    let shared = theirs.filter { FileNaming.fileName(of: $0) == FileNaming.fileName(of: name) }
    #expect(theirs.subtracting(shared).subtracting(kept) == [])
    #expect(kept.subtracting(theirs).count <= 3, "\(kept)")
    removeDirectories()
  }

  @Test func aFileThatIsBeingWrittenElsewhereIsNotTakenForALeftover() throws {
    let other = try sink("access-%s.log") { $0.compression = .gzip(level: 6) }
    try other.take(["theirs"])
    let later = Moment.test.later(seconds: 5)
    let sink = try sink("access-%s.log", at: later) {
      $0.compression = .gzip(level: 6)
      $0.rotateEverySeconds = 3600
      $0.keep = 0
    }
    try sink.take(["ours"], at: later)
    #expect(directory.names.contains("access-\(Moment.test.wallSeconds).log"), "\(directory.names)")
    _ = try other.close(at: later)
  }

  @Test func oldFilesWithoutAMarkGoFirst() throws {
    // Files of an earlier version, or files copied back, with any time in the name.
    directory.write("access.log.20300101T000000", "1\n")
    directory.write("access.log.20200101T000000", "2\n")
    let sink = try sink {
      $0.rotateBytes = 1
      $0.keep = 2
    }
    try sink.take(["3"])
    #expect(directory.names.count == 3)
    try sink.take(["4", "5"])
    #expect(numbers(in: directory.names) == [4, 5])
  }

  @Test func aCompressedOutputLeavesFilesAloneThatItsSiblingMayHaveMade() throws {
    directory.write("access.log.20260101T000000.gz", "whose?\n")
    directory.write("access.log", "another output's\n")
    let sink = try sink("access.log.gz") {
      $0.compression = .gzip(level: 6)
      $0.rotateBytes = 1
      $0.keep = 0
    }
    try sink.take(["line"])
    try sink.flush(at: .test)
    _ = try sink.tick(at: .test)
    #expect(directory.text("access.log.20260101T000000.gz") == "whose?\n")
  }

  /// A number that another user may have attached to a file does no harm.
  @Test(arguments: ["1 9223372036854775807 d", "1 4611686018427387904 d", "1 -5 d", "1 x d", "7 1 d", ""])
  func marksThatWereForgedDoNoHarm(text: String) throws {
    let planted = "access.log.20260101T000000"
    directory.write(planted, "x\n")
    let naming = FileNaming(template: "access.log", expandsTime: true, compression: nil)
    let descriptor = open(directory.file(planted), O_RDONLY)
    try SystemCalls.real.setAttribute(
      FileMark.name, of: descriptor, to: Array((text + " \(naming.outputKey)").utf8))
    close(descriptor)
    let sink = try sink {
      $0.rotateBytes = 1
      $0.keep = 3
    }
    for number in 0..<9 { try sink.take(["\(number)"]) }
    #expect(numbers(in: directory.names).suffix(2) == [7, 8])
    #expect(warnings.all == [])
  }

  // MARK: Age

  /// The clock jumps during the run: a jump ahead makes no file old.
  @Test(arguments: [86_400, 365 * 86_400, 7200])
  func aClockThatIsSetAheadDeletesNothing(seconds: Int64) throws {
    let now = Moment(wallSeconds: Moment.now().wallSeconds, steadyNanoseconds: 0)
    let sink = try sink(at: now) {
      $0.rotateBytes = 1
      $0.keepSeconds = 3600
    }
    for number in 0..<3 { try sink.take(["\(number)"], at: now.later(seconds: Double(number))) }
    let ahead = Moment(wallSeconds: now.wallSeconds + seconds, steadyNanoseconds: 100_000_000_000)
    _ = try sink.tick(at: ahead)
    #expect(numbers(in: directory.names) == [0, 1, 2])
    _ = try sink.tick(at: ahead.later(seconds: 600))
    #expect(numbers(in: directory.names) == [0, 1, 2])
    _ = try sink.tick(at: ahead.later(seconds: 3700))
    #expect(directory.names == ["access.log"], "by the steady clock they are too old")
  }

  @Test func aFileThatWasWrittenWhenTheClockWasLateIsNotOld() throws {
    let now = Moment(wallSeconds: Moment.now().wallSeconds, steadyNanoseconds: 0)
    try run("0", at: now) { $0.rotateBytes = 1 }
    let name = try #require(directory.names.first { $0 != "access.log" })
    // The clock starts in 1970, and files are written before it is set.
    try run("1", at: Moment(wallSeconds: 1000, steadyNanoseconds: 0)) { $0.rotateBytes = 1 }
    for late in directory.names where late != name {
      var times = [timespec(tv_sec: 1000, tv_nsec: 0), timespec(tv_sec: 1000, tv_nsec: 0)]
      utimensat(AT_FDCWD, directory.file(late), &times, 0)
    }
    try run("2", at: now.later(seconds: 60)) {
      $0.rotateBytes = 1
      $0.keepSeconds = 3600
    }
    #expect(numbers(in: directory.names) == [0, 1, 2])
  }

  @Test func aFileOfTheFutureIsAsOldAsThoseAfterIt() throws {
    let old = Moment.now().later(seconds: -7200)
    for number in 0..<3 {
      try run("\(number)", at: Moment(wallSeconds: old.wallSeconds + Int64(number), steadyNanoseconds: 0)) {
        $0.rotateBytes = 1
      }
    }
    for name in directory.names where name != "access.log" {
      let isFirst = numbers(in: [name]) == [0]
      let time = isFirst ? old.wallSeconds + 10_000_000 : old.wallSeconds
      var times = [timespec(tv_sec: Int(time), tv_nsec: 0), timespec(tv_sec: Int(time), tv_nsec: 0)]
      utimensat(AT_FDCWD, directory.file(name), &times, 0)
    }
    try run("3", at: .now()) {
      $0.rotateBytes = 1
      $0.keepSeconds = 3600
    }
    #expect(numbers(in: directory.names) == [3])
  }

  // MARK: Directories

  @Test func directoriesOfTimeAreMadeAndGoWithTheirFiles() throws {
    mkdir(directory.file("mine"), 0o755)
    let sink = try sink("logs/%s/x/access.log") {
      $0.rotateEverySeconds = 1
      $0.keep = 2
    }
    for number in 0..<5 {
      try sink.take(["\(number)"], at: Moment.test.later(seconds: Double(number)))
    }
    #expect(try texts() == [2, 3, 4])
    let made = try SystemCalls.real.names(inDirectory: directory.file("logs")).filter { !$0.hasPrefix(".") }
    #expect(made.sorted() == (2...4).map { "\(Moment.test.wallSeconds + Int64($0))" })
    removeDirectories()
  }

  @Test func directoriesOfOthersStay() throws {
    let first = directory.file("\(Moment.test.wallSeconds)")
    mkdir(first, 0o755)
    let sink = try sink("%s/access.log") {
      $0.rotateEverySeconds = 1
      $0.keep = 0
    }
    try sink.take(["1"])
    try sink.take(["2"], at: Moment.test.later(seconds: 1))
    try sink.take(["3"], at: Moment.test.later(seconds: 2))
    #expect(access(first, F_OK) == 0, "it was there before")
    #expect(access(directory.file("\(Moment.test.wallSeconds + 1)"), F_OK) != 0)
    removeDirectories()
  }

  @Test func aDirectoryWithOtherFilesStays() throws {
    let sink = try sink("%s/access.log") {
      $0.rotateEverySeconds = 1
      $0.keep = 0
    }
    try sink.take(["1"])
    directory.write("\(Moment.test.wallSeconds)/precious", "mine\n")
    try sink.take(["2"], at: Moment.test.later(seconds: 1))
    #expect(directory.text("\(Moment.test.wallSeconds)/precious") == "mine\n")
    #expect(warnings.all == [])
    removeDirectories()
  }

  // MARK: Looking

  private func allFiles() -> [String] {
    splitLines(Array(shell("cd '\(directory.path)' && find . -type f | cut -c3-").text.utf8)).sorted()
  }

  /// The numbers in all files, in order.
  private func texts() throws -> [Int] {
    let text = shell("find '\(directory.path)' -type f -exec gzip -cdfq {} +").text
    return splitLines(Array(text.utf8)).compactMap { Int($0) }.sorted()
  }

  private func removeDirectories() { _ = shell("rm -rf '\(directory.path)'/*") }
}

/// At the end of summer time an hour's name occurs twice.
@Suite struct RepeatedHourTests {
  @Test func filesOfAnHourThatComesTwiceAreInOrder() throws {
    var members: [FileCatalog.Member] = []
    let directory = TemporaryDirectory()
    // 2026-10-25 01:00 UTC is 02:00 in Berlin for the second time: the names repeat, but the numbers don't.
    let options = FileOptions(path: directory.file("access-%Y%m%d-%H.log"))
    var catalog = FileCatalog(options, path: options.path, system: .real) { _ in }
    let names = [
      "access-20261025-02.log", "access-20261025-02.log.20261025T023000", "access-20261025-01.log",
    ]
    let moment = Moment(wallSeconds: 1_792_888_200, steadyNanoseconds: 0)
    for name in names {
      directory.write(name, "x\n")
      let descriptor = open(directory.file(name), O_RDONLY)
      let identity = FileIdentity(try SystemCalls.real.status(descriptor))
      let mark = FileMark(
        number: catalog.marks.nextNumber(at: moment), state: .done, output: catalog.naming.outputKey)
      catalog.marks.set(mark, descriptor, identity)
      close(descriptor)
    }
    members = try catalog.members(except: nil)
    #expect(members.map { FileNaming.fileName(of: $0.path) } == names)
  }
}
