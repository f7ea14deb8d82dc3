import Compression
import Glibc
@testable import Platform
@testable import Shipping
@testable import Spool
import Testing

/// Links and files that another user has planted where this program makes files are neither followed nor
/// overwritten.
@Suite(.enabled(if: geteuid() == 0)) struct PlantedFileTests: FileSinkSuite {
  let directory = TemporaryDirectory()
  let other = TemporaryDirectory()
  let warnings = Collected<String>()

  enum Plant: String, CaseIterable, CustomTestStringConvertible {
    case link, danglingLink, fifo, hardLink, socket, file
    var testDescription: String { rawValue }

    var kind: String {
      switch self {
      case .link, .danglingLink: "link"
      case .fifo: "fifo"
      case .hardLink: "hard-link"
      case .socket: "socket"
      case .file: "other-owner"
      }
    }
  }

  /// Makes a link or file of a kind under a name, which leads to `precious` or elsewhere.
  private func plant(_ plant: Plant, as path: String) {
    switch plant {
    case .link: symlink(other.file("precious"), path)
    case .danglingLink: symlink(other.file("new"), path)
    case .fifo: mkfifo(path, 0o666)
    case .hardLink: Glibc.link(other.file("precious"), path)
    case .socket: mknod(path, S_IFSOCK | 0o666, 0)
    case .file:
      close(open(path, O_WRONLY | O_CREAT, 0o666))
      chmod(path, 0o666)
    }
    if plant != .hardLink { lchown(path, 65534, 65534) }
  }

  private func prepare() {
    other.write("precious", "mine\n")
    chmod(directory.path, 0o1777)
  }

  private func checkPrecious() {
    #expect(other.text("precious") == "mine\n")
    #expect(other.names == ["precious"])
  }

  @Test(arguments: Plant.allCases, [nil, 6] as [Int?])
  func whatBearsTheNextNameIsPutAside(plant: Plant, gzip: Int?) throws {
    prepare()
    let next = Moment.test.later(seconds: 3600)
    let sink = try sink("access-%s.log") {
      $0.rotateEverySeconds = 3600
      $0.compression = gzip.map { .gzip(level: $0) }
    }
    try sink.take(["one"])
    let name = "access-\(next.wallSeconds).log"
    self.plant(plant, as: directory.file(name))
    try sink.take(["two"], at: next)
    try sink.flush(at: next)
    checkPrecious()
    #expect(status(name).isRegular)
    #expect(status(name).st_uid == 0)
    let text = gzip == nil ? directory.text(name) : directory.unzipped(name).text
    #expect(text == "two\n")
    let aside = "\(name).\(stamp(next)).\(plant.kind)"
    #expect(directory.names.contains(aside), "\(directory.names)")
    #expect(warnings.all.count == 1)
    #expect(warnings.all.first?.hasSuffix("put aside as \(aside)") == true)
  }

  @Test(arguments: Plant.allCases)
  func whatTakesTheCurrentNameIsPutAside(plant: Plant) throws {
    prepare()
    let sink = try sink()
    try sink.take(["one"])
    unlink(directory.file("access.log"))
    self.plant(plant, as: directory.file("access.log"))
    try sink.take(["two"])
    checkPrecious()
    #expect(directory.text("access.log") == "two\n")
    #expect(directory.names.contains("access.log.\(stamp()).\(plant.kind)"))
  }

  @Test(arguments: Plant.allCases)
  func whatBearsTheFirstNameOfAllIsRefusedOrIsWhatTheUserMeant(plant: Plant) throws {
    prepare()
    self.plant(plant, as: directory.file("access.log"))
    let options = FileOptions(path: directory.file("access.log"))
    let error = #expect(throws: SystemError.self) { try FileSink.open(options, at: .test) { _ in } }
    #expect(error != nil)
    checkPrecious()
  }

  @Test(arguments: Plant.allCases)
  func whatBearsAFinishedNameIsPassedOver(plant: Plant) throws {
    prepare()
    let path = directory.file("access.log.\(stamp())")
    self.plant(plant, as: path)
    let planted = status("access.log.\(stamp())")
    let sink = try sink { $0.rotateBytes = 1 }
    try sink.take(["one"])
    checkPrecious()
    #expect(FileIdentity(status("access.log.\(stamp())")) == FileIdentity(planted))
    #expect(directory.text("access.log.\(stamp())-2") == "one\n")
  }

  @Test(arguments: Plant.allCases)
  func whatBearsTheLinksOtherNameIsPassedOver(plant: Plant) throws {
    prepare()
    self.plant(plant, as: directory.file("current.new"))
    let sink = try sink { $0.link = directory.file("current") }
    try sink.take(["one"])
    checkPrecious()
    #expect(SystemCalls.real.target(ofLink: directory.file("current")) == "access.log")
    #expect(directory.names.contains("current.new"))
    #expect(warnings.all == [])
  }

  @Test func aDirectoryOfTimeThatIsALinkIsNotEntered() throws {
    prepare()
    let sink = try sink("%s/access.log") { $0.rotateEverySeconds = 1 }
    try sink.take(["one"])
    let next = Moment.test.later(seconds: 1)
    symlink(other.path, directory.file("\(next.wallSeconds)"))
    lchown(directory.file("\(next.wallSeconds)"), 65534, 65534)
    #expect(throws: SystemError.self) { try sink.take(["two"], at: next) }
    checkPrecious()
    _ = shell("rm -rf '\(directory.path)'/*")
  }

  @Test func aFileOfThoseWhoOwnTheDirectoryIsTaken() throws {
    // As made by logrotate, for a user who owns the directory.
    chown(directory.path, 65534, 65534)
    chmod(directory.path, 0o755)
    directory.write("access.log", "theirs\n")
    chown(directory.file("access.log"), 65534, 65534)
    try run("ours")
    #expect(directory.text("access.log") == "theirs\nours\n")
  }

  @Test func aSecondNameInADirectoryOfOurOwnIsTheUsersAffair() throws {
    directory.write("access.log", "before\n")
    Glibc.link(directory.file("access.log"), directory.file("backup"))
    try run("after")
    #expect(directory.text("backup") == "before\nafter\n")
  }
}
