import Compression
import Glibc
@testable import Platform
@testable import Shipping
import Testing

/// The command for finished files, and how retention and restarts take it into account.
@Suite struct PostRotateTests: FileSinkSuite {
  let directory = TemporaryDirectory()
  let other = TemporaryDirectory()
  let warnings = Collected<String>()

  /// The lines that the command has written.
  private var record: [String] { splitLines(Array(other.text("record").utf8)) }

  /// A command that writes the file's contents once the pipe is closed.
  private func command(after pipe: TestPipe) -> String {
    "read line < /proc/\(getpid())/fd/\(pipe.readEnd); cat \"$1\" >> '\(other.file("record"))'"
  }

  @Test func whatWaitsForItsCommandIsDeletedAfterThat() throws {
    let pipe = TestPipe()
    let sink = try sink {
      $0.rotateBytes = 1
      $0.keep = 1
      $0.postRotate = command(after: pipe)
    }
    try sink.take(["0", "1", "2", "3", "4"])
    #expect(numbers(in: directory.names) == [0, 1, 2, 3, 4])
    pipe.closeWriteEnd()
    try wait(sink) { record.count == 5 && directory.names.count == 2 }
    #expect(record == ["0", "1", "2", "3", "4"])
    #expect(numbers(in: directory.names) == [4])
  }

  @Test(arguments: [true, false])
  func whatIsTooOldWaitsForItsCommandToo(isByTime: Bool) throws {
    let pipe = TestPipe()
    let now = Moment(wallSeconds: Moment.now().wallSeconds, steadyNanoseconds: 0)
    let sink = try sink(at: now) {
      $0.rotateBytes = 1
      if isByTime { $0.keepSeconds = 60 } else { $0.keepBytes = 0 }
      $0.postRotate = command(after: pipe)
    }
    try sink.take(["0", "1"], at: now)
    let later = now.later(seconds: 3600)
    _ = try sink.tick(at: later)
    #expect(numbers(in: directory.names) == [0, 1])
    pipe.closeWriteEnd()
    try wait(sink, at: later) { directory.names == ["access.log"] }
    #expect(record == ["0", "1"])
  }

  @Test(arguments: [nil, 6] as [Int?], ["access.log", "access-%s.log"])
  func whatWaitedAtTheEndIsDoneAtTheNextStart(gzip: Int?, name: String) throws {
    let pipe = TestPipe()
    let first = try sink(name) {
      $0.rotateEverySeconds = 1
      $0.compression = gzip.map { .gzip(level: $0) }
      $0.postRotate = command(after: pipe)
    }
    for number in 0..<4 { try first.take(["\(number)"], at: Moment.test.later(seconds: Double(number))) }
    _ = try first.close(at: Moment.test.later(seconds: 4))
    first.abandon()
    // The system goes down, and the command with it.
    if let process = first.finished.command?.process { kill(-process, SIGKILL) }
    first.finished.command?.awaitEnd()
    pipe.closeWriteEnd()
    let next = try sink(name, at: Moment.test.later(seconds: 10)) {
      $0.appends = true
      $0.rotateEverySeconds = 3600
      $0.compression = gzip.map { .gzip(level: $0) }
      $0.keep = 1
      $0.postRotate = "gzip -dcfq < \"$1\" >> '\(other.file("record"))'"
    }
    try wait(next, at: Moment.test.later(seconds: 10)) {
      record.count >= 3 && next.finished.command?.process == nil
    }
    #expect(record.prefix(3) == ["0", "1", "2"], "in their order")
    #expect(warnings.all.count == 1, "\(warnings.all)")
  }

  @Test func whatIsDoneIsNotDoneAgain() throws {
    let first = try sink {
      $0.rotateBytes = 1
      $0.postRotate = "cat \"$1\" >> '\(other.file("record"))'"
    }
    try first.take(["0", "1"])
    try wait(first) { record.count == 2 && first.finished.command?.process == nil }
    _ = try first.close(at: .test)
    first.abandon()
    let next = try sink {
      $0.appends = true
      $0.rotateBytes = 1
      $0.postRotate = "cat \"$1\" >> '\(other.file("record"))'"
    }
    try next.take(["2"])
    try wait(next) { record.count == 3 && next.finished.command?.process == nil }
    #expect(record == ["0", "1", "2"])
  }

  /// A command that compresses: the file that it makes replaces the file that it was given.
  @Test(arguments: ["gzip \"$1\"", "xz \"$1\"", "gzip -c \"$1\" > \"$1.gz\" && rm \"$1\""])
  func whatTheCommandMakesOfAFileIsKeptInItsPlace(command: String) throws {
    guard !command.hasPrefix("xz") || shell("command -v xz").status == 0 else { return }
    let sink = try sink {
      $0.rotateBytes = 1
      $0.keep = 2
      $0.postRotate = command
    }
    for number in 0..<5 {
      try sink.take(["\(number)"], at: Moment.test.later(seconds: Double(number)))
      try wait(sink) { sink.finished.command?.process == nil }
      _ = try sink.tick(at: Moment.test.later(seconds: Double(number)))
    }
    let finished = directory.names.filter { $0 != "access.log" }
    #expect(finished.count == 2, "\(finished)")
    #expect(finished.allSatisfy { $0.hasSuffix("z") })
    #expect(finished.last?.hasPrefix("access.log.\(stamp(Moment.test.later(seconds: 4)))") == true)
  }

  @Test func aFileThatIsGoneNeedsNoCommand() throws {
    let pipe = TestPipe()
    let sink = try sink {
      $0.rotateBytes = 1
      $0.postRotate = command(after: pipe)
    }
    try sink.take(["0", "1", "2"])
    directory.write("new", "somebody else's\n")
    rename(directory.file("new"), directory.file("access.log.\(stamp())-2"))
    pipe.closeWriteEnd()
    try wait(sink) { record.count == 2 && sink.finished.command?.process == nil }
    #expect(record == ["0", "2"])
  }

  @Test func aQueueThatGrowsIsSaidOnceATenfoldAndWhenItIsOver() throws {
    let pipe = TestPipe()
    let sink = try sink {
      $0.rotateBytes = 1
      $0.postRotate = command(after: pipe)
    }
    try sink.take((0..<60).map { "\($0)" })
    #expect(warnings.all.count == 2, "\(warnings.all)")
    #expect(warnings.all[0].contains("--post-rotate: 5 files wait for the command"))
    #expect(warnings.all[1].contains("--post-rotate: 50 files wait for the command"))
    pipe.closeWriteEnd()
    try wait(sink) { record.count == 60 && warnings.all.count == 3 }
    #expect(warnings.all[2] == "--post-rotate: no file waits for the command any more")
    try wait(sink) { sink.finished.command?.process == nil }
  }

  @Test func aCommandThatHangsIsSaidOnceAndItsEndToo() throws {
    let pipe = TestPipe()
    let sink = try sink {
      $0.rotateBytes = 1
      $0.postRotate = command(after: pipe)
    }
    try sink.take(["0"])
    let path = directory.file("access.log.\(stamp())")
    let wait = try #require(try sink.tick(at: .test))
    #expect(wait <= BackgroundCommand.longPatienceNanoseconds)
    for second in [59.0, 61, 62, 200] { _ = try sink.tick(at: Moment.test.later(seconds: second)) }
    #expect(warnings.all == ["\(path): --post-rotate: still runs after 61 s"])
    pipe.closeWriteEnd()
    try self.wait(sink, at: Moment.test.later(seconds: 300)) { warnings.all.count == 2 }
    #expect(warnings.all.last == "\(path): --post-rotate: has ended after 300 s")
  }

  @Test func aCommandThatOthersWaitForIsSaidSooner() throws {
    let pipe = TestPipe()
    let sink = try sink {
      $0.rotateBytes = 1
      $0.postRotate = command(after: pipe)
    }
    try sink.take(["0", "1", "2"])
    _ = try sink.tick(at: Moment.test.later(seconds: 11))
    #expect(
      warnings.all == [
        "\(directory.file("access.log.\(stamp())")): --post-rotate: still runs after 11 s, and 2 more wait for it"
      ])
    pipe.closeWriteEnd()
    try wait(sink) { record.count == 3 && sink.finished.command?.process == nil }
  }

  /// Also a command that ignores signals, and one whose children do the work.
  @Test(arguments: [
    "exec sleep 1000", "trap '' TERM; sleep 1000; sleep 1000", "sleep 1000 & sleep 1000; wait",
  ])
  func aCommandWhoseTimeIsOverIsEnded(work: String) throws {
    let sink = try sink {
      $0.rotateBytes = 1
      $0.keep = 0
      $0.postRotateTimeoutSeconds = 30
      $0.postRotate =
        "cat \"$1\" >> '\(other.file("record"))'; [ $(wc -l < '\(other.file("record"))') = 2 ] && exit; \(work)"
    }
    try sink.take(["0", "1"])
    try wait(sink) { record.count == 1 }
    let process = sink.finished.command?.process
    let group = try #require(process)
    _ = try sink.tick(at: Moment.test.later(seconds: 29))
    #expect(warnings.all.filter { $0.contains("is ended") } == [])
    _ = try sink.tick(at: Moment.test.later(seconds: 31))
    let path = directory.file("access.log.\(stamp())")
    #expect(
      warnings.all.last
        == "\(path): --post-rotate: is ended, as it has run for 30 s (--post-rotate-timeout)")
    try wait(sink, at: Moment.test.later(seconds: 37)) {
      record.count == 2 && sink.finished.command?.process == nil && directory.names == ["access.log"]
    }
    #expect(kill(-group, 0) != 0 || eventually { kill(-group, 0) != 0 }, "none of it is left")
  }

  /// Commands inherit the standard streams and no other descriptors, even if this process has more open.
  @Test func commandsInheritNoDescriptors() throws {
    // Without the close-on-exec flag, as a careless parent leaves it.
    let leaked = open("/dev/null", O_RDONLY)
    let high = fcntl(leaked, F_DUPFD, 200)
    defer {
      close(leaked)
      close(high)
    }
    let sink = try sink {
      $0.rotateBytes = 1
      $0.postRotate =
        "ls /proc/$$/fd > '\(other.file("part"))'; mv '\(other.file("part"))' '\(other.file("record"))'"
    }
    try sink.take(["0"])
    try wait(sink) { !record.isEmpty && sink.finished.command?.process == nil }
    // The shell may have opened another descriptor for itself.
    let numbers = record.compactMap { Int($0) }
    #expect(Set(numbers).isSuperset(of: [0, 1, 2]))
    #expect(!numbers.contains(Int(leaked)) || leaked <= 2)
    #expect(!numbers.contains(Int(high)))
  }
}
