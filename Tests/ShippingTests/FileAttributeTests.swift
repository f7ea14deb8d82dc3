import Compression
import Glibc
@testable import Platform
@testable import Shipping
@testable import Spool
import Testing

/// The owner and permissions of the first file pass to the next ones, unless others are configured.
@Suite(.enabled(if: geteuid() == 0)) struct FileAttributeTests: FileSinkSuite {
  let directory = TemporaryDirectory()
  let warnings = Collected<String>()

  private func attributes(_ name: String) -> [UInt32] {
    let status = status(name)
    return [status.st_mode & 0o7777, status.st_uid, status.st_gid]
  }

  /// The names and permissions of all files.
  private func all() -> Set<[UInt32]> { Set(directory.names.map(attributes)) }

  @Test(arguments: ["access.log", "access-%s.log"], [0o640, 0o600, 0o664, 0o604])
  func theyPassToTheNextFile(name: String, mode: UInt32) throws {
    for gzip in [nil, 6] { try checkThatTheyPass(name, mode, gzip) }
  }

  private func checkThatTheyPass(_ name: String, _ mode: UInt32, _ gzip: Int?) throws {
    _ = shell("rm -f '\(directory.path)'/*")
    let current = name == "access.log" ? name : "access-\(Moment.test.wallSeconds).log"
    directory.write(current, "")
    chmod(directory.file(current), mode)
    chown(directory.file(current), 12, 34)
    let sink = try sink(name) {
      $0.appends = true
      $0.rotateEverySeconds = 1
      $0.compression = gzip.map { .gzip(level: $0) }
    }
    for second in 0..<3 { try sink.take(["line"], at: Moment.test.later(seconds: Double(second))) }
    #expect(directory.names.count == 3)
    #expect(all() == [[mode, 12, 34]])
  }

  @Test func theyPassOverAReopening() throws {
    let sink = try sink()
    chmod(directory.file("access.log"), 0o600)
    chown(directory.file("access.log"), 0, 34)
    try sink.take(["one"])
    rename(directory.file("access.log"), directory.file("access.log.1"))
    try sink.reopen(at: .test)
    try sink.take(["two"])
    #expect(attributes("access.log") == [0o600, 0, 34])
  }

  @Test func aFileThatIsThereAlreadyHasItsOwn() throws {
    let sink = try sink()
    rename(directory.file("access.log"), directory.file("access.log.1"))
    directory.write("access.log", "")
    chmod(directory.file("access.log"), 0o606)
    try sink.reopen(at: .test)
    try sink.take(["two"])
    #expect(attributes("access.log") == [0o606, 0, 0])
  }

  @Test func whatIsAskedForIsGivenToAllFilesAndDirectories() throws {
    let sink = try sink("%s/access.log") {
      $0.rotateEverySeconds = 1
      $0.attributes.mode = 0o640
      $0.attributes.owner = 12
      $0.attributes.group = 34
    }
    for second in 0..<2 { try sink.take(["line"], at: Moment.test.later(seconds: Double(second))) }
    #expect(all() == [[0o750, 12, 34]])
    #expect(Set(directory.names.map { attributes("\($0)/access.log") }) == [[0o640, 12, 34]])
    _ = shell("rm -rf '\(directory.path)'/*")
  }

  @Test func anExistingFileGetsWhatIsAskedFor() throws {
    directory.write("access.log", "old\n")
    try run("new") { $0.attributes.mode = 0o600 }
    #expect(attributes("access.log") == [0o600, 0, 0])
    #expect(directory.text("access.log") == "old\nnew\n")
  }

  @Test func whereTheGroupCannotBeGivenItsPermissionsAreNot() throws {
    directory.write("access.log", "")
    chmod(directory.file("access.log"), 0o664)
    chown(directory.file("access.log"), 0, 34)
    let faults = FaultPlan { call, _ in call == .fchown ? .fail(EPERM) : nil }
    let sink = try sink(system: faults.system) {
      $0.appends = true
      $0.rotateBytes = 1
    }
    try sink.take(["one", "two"])
    #expect(attributes("access.log") == [0o604, 0, 0])
    #expect(warnings.all.count == 1, "said once")
    #expect(warnings.all.first?.contains("chown or chmod: Operation not permitted") == true)
  }

  @Test func whatIsAskedForAndCannotBeGivenIsRefusedAtTheStart() throws {
    let faults = FaultPlan { call, _ in call == .fchown ? .fail(EPERM) : nil }
    let error = #expect(throws: SystemError.self) {
      try sink(system: faults.system) { $0.attributes.owner = 12 }
    }
    #expect(
      error?.description.hasPrefix("\(directory.file("access.log")): open: Operation not permitted") == true)
  }
}

/// A file that another program empties gets its header again.
@Suite struct EmptiedFileTests: FileSinkSuite {
  let directory = TemporaryDirectory()
  let warnings = Collected<String>()

  @Test(arguments: [nil, 6] as [Int?])
  func anEmptiedFileGetsItsHeaderAgain(gzip: Int?) throws {
    let sink = try sink {
      $0.content = .lines(header: Array("# version\n# fields\n".utf8))
      $0.compression = gzip.map { .gzip(level: $0) }
    }
    for number in 0..<3 {
      try sink.take(["\(number)", "more"])
      try sink.flush(at: .test)
      let (text, isValid) =
        gzip == nil ? (directory.text("access.log"), true) : directory.unzipped("access.log")
      #expect(text == "# version\n# fields\n\(number)\nmore\n")
      #expect(isValid)
      truncate(directory.file("access.log"), 0)
    }
    #expect(warnings.all == [])
  }

  @Test func oneThatIsEmptiedTwiceBeforeALineHasOneHeader() throws {
    let sink = try sink { $0.content = .lines(header: Array("# fields\n".utf8)) }
    try sink.take(["1"])
    truncate(directory.file("access.log"), 0)
    truncate(directory.file("access.log"), 0)
    try sink.take(["2"])
    try sink.take(["3"])
    #expect(directory.text("access.log") == "# fields\n2\n3\n")
  }
}
