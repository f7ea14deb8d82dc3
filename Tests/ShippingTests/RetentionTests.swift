import Glibc
@testable import Platform
@testable import Shipping
@testable import Spool
import Testing

/// The handling of finished files: how many stay, the link to the current one, and the command that is run
/// for them.
@Suite struct RetentionTests {
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

  /// Makes a finished file of a certain age.
  private func finished(_ day: Int, bytes: Int = 10, secondsOld: Int64 = 0) -> String {
    let name = "access.log.202601\(day < 10 ? "0" : "")\(day)T000000"
    directory.write(name, String(repeating: "x", count: bytes - 1) + "\n")
    let time = timespec(tv_sec: Int(Moment.test.wallSeconds - secondsOld), tv_nsec: 0)
    var times = [time, time]
    utimensat(AT_FDCWD, directory.file(name), &times, 0)
    return name
  }

  // MARK: How many, how long, how much

  @Test func filesGoWhenTheirLastLineIsTooOld() throws {
    let old = finished(1, secondsOld: 3601)
    let young = finished(2, secondsOld: 3000)
    let sink = try sink { $0.keepSeconds = 3600 }
    let wait = try #require(try sink.tick(at: .test))
    #expect(wait <= 60_000_000_000, "it is looked at least once a minute")
    #expect(!directory.names.contains(old))
    #expect(directory.names.contains(young))
    _ = try sink.tick(at: Moment.test.later(seconds: 599))
    #expect(directory.names.contains(young))
    _ = try sink.tick(at: Moment.test.later(seconds: 661))
    #expect(directory.names == ["access.log"], "without any line being written")
  }

  @Test func theOldestGoUntilTheRestIsSmallEnough() throws {
    let names = (1...5).map { finished($0, bytes: 1000) }
    let sink = try sink { $0.keepBytes = 2500 }
    _ = try sink.tick(at: .test)
    #expect(directory.names == ["access.log"] + names.suffix(2))
    // The current file doesn't count.
    try sink.take([String(repeating: "x", count: 5000)])
    #expect(directory.names.count == 3)
  }

  @Test func limitsAreCombined() throws {
    let names = [
      finished(1, secondsOld: 50), finished(2, secondsOld: 5000), finished(3, bytes: 900), finished(4),
      finished(5),
    ]
    let sink = try sink {
      $0.keep = 4
      $0.keepSeconds = 3600
      $0.keepBytes = 500
    }
    _ = try sink.tick(at: .test)
    #expect(directory.names == ["access.log"] + names.suffix(2))
  }

  @Test func nothingButOwnFinishedFilesIsTouched() throws {
    let others = [
      "access.log.1", "access.log.gz", "access.log.20260101", "access.log.20261301T000000",
      "access.log.old.gz",
      "error.log.20260101T000000",
    ]
    for name in others { directory.write(name, "mine\n") }
    mkdir(directory.file("access.log.20250101T000000"), 0o755)
    symlink("access.log.1", directory.file("access.log.20250101T000001"))
    let sink = try sink {
      $0.rotateBytes = 1
      $0.keep = 0
      $0.keepSeconds = 1
      $0.keepBytes = 0
    }
    try sink.take(["line"])
    _ = try sink.tick(at: Moment.test.later(seconds: 1000))
    #expect(
      directory.names
        == (["access.log", "access.log.20250101T000000", "access.log.20250101T000001"] + others).sorted())
    #expect(warnings.all == [])
    rmdir(directory.file("access.log.20250101T000000"))
  }

  @Test func oneThatCannotBeDeletedKeepsNoOther() throws {
    let names = (1...4).map { finished($0) }
    let faults = FaultPlan { call, count in call == .unlink && count % 4 == 1 ? .fail(EPERM) : nil }
    let sink = try sink(system: faults.system) { $0.keep = 0 }
    _ = try sink.tick(at: .test)
    #expect(directory.names == ["access.log", names[0]])
    let said = try #require(warnings.all.first)
    #expect(said.hasPrefix("\(directory.file(names[0])): unlink: Operation not permitted; "))
    #expect(said.hasSuffix("; finished files are piling up"))
    _ = try sink.tick(at: Moment.test.later(seconds: 61))
    #expect(warnings.all.count == 1, "said once")
  }

  @Test func aFullDiskIsNoReasonNotToDelete() throws {
    _ = finished(1)
    let faults = FaultPlan { call, count in call == .open && count > 3 ? .fail(ENOSPC) : nil }
    let sink = try sink(system: faults.system) {
      $0.rotateBytes = 4
      $0.keep = 0
    }
    #expect(throws: SystemError.self) { try sink.take(["one", "two"]) }
    #expect(directory.names.count == 0, "\(directory.names)")
  }

  // MARK: The link

  @Test func theLinkLeadsToTheCurrentFile() throws {
    let sink = try sink("access-%s.log") {
      $0.rotateEverySeconds = 3600
      $0.link = directory.file("access.log")
    }
    let link = directory.file("access.log")
    try sink.take(["first"])
    #expect(SystemCalls.real.target(ofLink: link) == "access-\(Moment.test.wallSeconds).log")
    #expect(directory.text("access.log") == "first\n")
    let next = Moment.test.later(seconds: 3600)
    try sink.take(["second"], at: next)
    #expect(SystemCalls.real.target(ofLink: link) == "access-\(next.wallSeconds).log")
    #expect(directory.text("access.log") == "second\n")
    #expect(directory.names.count == 3)
  }

  @Test func aLinkElsewhereLeadsToTheWholePath() throws {
    let other = TemporaryDirectory()
    let sink = try sink { $0.link = other.file("log") }
    try sink.take(["line"])
    #expect(SystemCalls.real.target(ofLink: other.file("log")) == directory.file("access.log"))
  }

  @Test func anOldLinkIsReplacedAndAnythingElseRefused() throws {
    symlink("nowhere", directory.file("link"))
    symlink("left by a kill", directory.file("link.new"))
    let sink = try sink { $0.link = directory.file("link") }
    try sink.take(["line"])
    #expect(SystemCalls.real.target(ofLink: directory.file("link")) == "access.log")
    #expect(directory.names == ["access.log", "link"])
    directory.write("precious", "mine\n")
    for path in ["precious", "access.log"] {
      let error = #expect(throws: SystemError.self) {
        try self.sink("other.log") { $0.link = directory.file(path) }
      }
      #expect(
        error?.description
          == "\(directory.file(path)): symlink: it exists and is no symbolic link, which --symlink needs")
    }
    #expect(directory.text("precious") == "mine\n")
    #expect(!directory.names.contains("other.log"), "refused before anything is opened")
  }

  @Test func aLinkThatCannotBeMadeIsSaidOnceAndMadeLater() throws {
    let faults = FaultPlan { call, count in call == .symlink && count < 3 ? .fail(EACCES) : nil }
    let sink = try sink(system: faults.system) { $0.link = directory.file("link") }
    for second in 0..<200 {
      try sink.take(["line"], at: Moment.test.later(seconds: Double(second)))
    }
    #expect(SystemCalls.real.target(ofLink: directory.file("link")) == "access.log")
    #expect(warnings.all.count == 1)
    let said = try #require(warnings.all.first)
    #expect(said.hasPrefix("\(directory.file("link")): symlink: Permission denied; "))
    #expect(said.hasSuffix("; it doesn't lead to the current file"))
  }

  // MARK: What is run for finished files

  /// Calls the sink whenever its command has ended, until `condition` holds.
  private func wait(_ sink: FileSink, until condition: () -> Bool) throws {
    let deadline = Moment.now().steadyNanoseconds + 120_000_000_000
    while !condition() {
      try #require(Moment.now().steadyNanoseconds < deadline, "nothing came of it")
      if let descriptor = sink.wakeDescriptor {
        var descriptors = [pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)]
        SystemCalls.poll(&descriptors, nanoseconds: 1_000_000_000)
      }
      _ = try sink.tick(at: .test)
    }
  }

  @Test func theCommandRunsForEveryFinishedFileInOrder() throws {
    let record = directory.file("record")
    let sink = try sink {
      $0.rotateBytes = 4
      $0.postRotate = "printf '%s %s %s\\n' \"$1\" \"$SPILLWAY_FILE\" \"$(cat \"$1\")\" >> '\(record)'"
    }
    try sink.take(["one", "two ", "six!"])
    try wait(sink) { splitLines(Array(directory.text("record").utf8)).count == 3 }
    let path = directory.file("access.log.\(stamp())")
    sink.finished.command?.awaitEnd()
    #expect(
      directory.text("record") == "\(path) \(path) one\n\(path)-2 \(path)-2 two \n\(path)-3 \(path)-3 six!\n")
    #expect(warnings.all == [])
  }

  private func stamp() -> String {
    LocalTime.expand("%Y%m%dT%H%M%S", LocalTime.fields(at: Moment.test.wallSeconds)) ?? ""
  }

  @Test func theCommandBeginsWithFreshSignalsAndAnEmptyInput() throws {
    let record = directory.file("record")
    let sink = try sink {
      $0.rotateBytes = 1
      $0.postRotate =
        "{ grep -E '^Sig(Blk|Ign)' /proc/self/status | cut -f2; cat | wc -c; ls /proc/self/fd | wc -l;"
        + " } > '\(record)'; ps -o pgid= -p $$ | tr -d ' ' >> '\(record)'; echo $$ >> '\(record)'"
    }
    var all = sigset_t()
    var former = sigset_t()
    sigfillset(&all)
    pthread_sigmask(SIG_SETMASK, &all, &former)
    try sink.take(["line"])
    pthread_sigmask(SIG_SETMASK, &former, nil)
    try wait(sink) { splitLines(Array(directory.text("record").utf8)).count == 6 }
    sink.finished.command?.awaitEnd()
    let lines = splitLines(Array(directory.text("record").utf8))
    // Signals above 31 are left to the C library.
    for mask in lines[0...1] { #expect(UInt64(mask, radix: 16).map { $0 & 0x7fff_ffff } == 0, "\(mask)") }
    #expect(lines[2] == "0")
    #expect(lines[4] == lines[5], "a group of its own")
  }

  @Test func aFailureIsSaidOncePerStatusInARow() throws {
    let sink = try sink {
      $0.rotateBytes = 4
      $0.postRotate =
        "n=$(cat '\(directory.file("n"))' 2>/dev/null); n=$((n + 1)); echo $n > '\(directory.file("n"))'"
        + "; case $n in 1|2|3) exit 3;; 4) exit 4;; 5) exit 0;; 6) exit 4;; 7) kill -9 $$;; esac"
    }
    for count in 1...7 {
      try sink.take(["no \(count)"])
      // One at a time: many files waiting for a slow command would cause a message, too.
      try wait(sink) { directory.text("n") == "\(count)\n" }
    }
    try wait(sink) { warnings.all.count == 4 }
    let path = directory.file("access.log.\(stamp())")
    #expect(
      warnings.all == [
        "\(path): --post-rotate: ended with status 3", "\(path)-4: --post-rotate: ended with status 4",
        "\(path)-6: --post-rotate: ended with status 4",
        "\(path)-7: --post-rotate: was ended by signal 9 (Killed)",
      ])
  }

  @Test func whatWasNotStartedIsSaidAtTheEnd() throws {
    let pipe = TestPipe()
    let sink = try sink {
      $0.rotateBytes = 4
      $0.postRotate =
        "read line < /proc/\(getpid())/fd/\(pipe.readEnd); echo done > '\(directory.file("record"))'"
    }
    try sink.take(["one", "two", "six"])
    _ = try sink.close(at: .test)
    sink.abandon()
    let path = directory.file("access.log.\(stamp())")
    #expect(
      warnings.all == [
        "\(path)-2 and 1 more: --post-rotate: left to the next start, as the program ends before its turn"
      ])
    // The command that is running isn't stopped.
    #expect(access(directory.file("record"), F_OK) != 0)
    _ = Glibc.write(pipe.writeEnd, "go\n", 3)
    let deadline = Moment.now().steadyNanoseconds + 120_000_000_000
    while directory.text("record") != "done\n", Moment.now().steadyNanoseconds < deadline { sched_yield() }
    #expect(directory.text("record") == "done\n")
    sink.finished.command?.awaitEnd()
  }

  @Test func aCommandThatCannotBeStartedIsTriedAgain() throws {
    let faults = FaultPlan { call, count in call == .spawn && count < 3 ? .fail(EAGAIN) : nil }
    let sink = try sink(system: faults.system) {
      $0.rotateBytes = 4
      $0.postRotate = "echo \"$1\" > '\(directory.file("record"))'"
    }
    try sink.take(["one"])
    let path = directory.file("access.log.\(stamp())")
    try wait(sink) { directory.text("record") == "\(path)\n" }
    sink.finished.command?.awaitEnd()
    #expect(
      warnings.all == ["\(path): --post-rotate: Resource temporarily unavailable; it is tried again"])
  }
}
