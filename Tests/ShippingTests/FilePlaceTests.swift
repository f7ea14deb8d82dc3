import Compression
import Glibc
@testable import Platform
@testable import Shipping
@testable import Spool
import Testing

/// A configured name may lead elsewhere: links are followed to the file, and devices are left as they are.
@Suite struct FilePlaceTests: FileSinkSuite {
  let directory = TemporaryDirectory()
  let other = TemporaryDirectory()
  let warnings = Collected<String>()

  private func open(_ path: String, _ configure: (inout FileOptions) -> Void = { _ in }) throws -> any Sink {
    var options = FileOptions(path: path)
    configure(&options)
    return try FileSink.open(options, at: .test) { [warnings] in warnings.append($0) }
  }

  private func link(_ name: String, to target: String) { symlink(target, directory.file(name)) }

  private func target(_ name: String) -> String? { SystemCalls.real.target(ofLink: directory.file(name)) }

  /// How a link leads to the file: by an absolute or relative path, by other links, through a directory, or
  /// to a file that doesn't exist yet.
  enum Way: String, CaseIterable, CustomTestStringConvertible {
    case absolute, relative, chain, directory, dangling
    var testDescription: String { rawValue }
  }

  @Test(arguments: Way.allCases, [nil, 6] as [Int?])
  func rotationHappensWhereTheFileIs(way: Way, gzip: Int?) throws {
    if way != .dangling { other.write("real.log", "") }
    switch way {
    case .absolute, .dangling: link("access.log", to: other.file("real.log"))
    case .relative:
      link("access.log", to: "../\(FileNaming.fileName(of: other.path))/real.log")
    case .chain:
      link("third", to: other.file("real.log"))
      link("second", to: "third")
      link("access.log", to: directory.file("second"))
    case .directory:
      link("elsewhere", to: other.path)
      link("access.log", to: "elsewhere/real.log")
    }
    let links = directory.names
    let sink = try sink {
      $0.rotateBytes = 1
      $0.keep = 2
      $0.compression = gzip.map { .gzip(level: $0) }
    }
    for number in 0..<5 {
      try sink.take(["\(number)"], at: Moment.test.later(seconds: Double(number)))
      try sink.flush(at: Moment.test.later(seconds: Double(number)))
      _ = try sink.tick(at: Moment.test.later(seconds: Double(number)))
    }
    #expect(directory.names == links)
    #expect(links.allSatisfy { target($0) != nil }, "they are links still")
    let suffix = gzip == nil ? "" : ".gz"
    #expect(
      other.names
        == ["real.log"] + [3, 4].map { "real.log.\(stamp(Moment.test.later(seconds: $0)))\(suffix)" })
    #expect(warnings.all == [])
  }

  @Test func aLinkThatIsReplacedIsFollowedAtTheNextReopening() throws {
    link("access.log", to: other.file("one"))
    let sink = try sink { $0.rotateBytes = 100 }
    try sink.take(["first"])
    unlink(directory.file("access.log"))
    link("access.log", to: other.file("two"))
    try sink.reopen(at: .test)
    try sink.take(["second"])
    #expect(other.text("one") == "first\n")
    #expect(other.text("two") == "second\n")
  }

  @Test func linksInACircleAreRefused() throws {
    link("access.log", to: "b")
    link("b", to: "access.log")
    let error = #expect(throws: SystemError.self) { try open(directory.file("access.log")) }
    #expect(error?.code == ELOOP)
  }

  @Test(.enabled(if: geteuid() == 0), arguments: [0o1777, 0o777])
  func aLinkOfAnotherUserInAPublicDirectoryIsRefused(mode: mode_t) throws {
    other.write("precious", "mine\n")
    link("access.log", to: other.file("precious"))
    lchown(directory.file("access.log"), 65534, 65534)
    chmod(directory.path, mode)
    let error = #expect(throws: SystemError.self) { try open(directory.file("access.log")) }
    #expect(error?.description.contains("is a symbolic link of user 65534 in a directory that") == true)
    #expect(other.text("precious") == "mine\n")
    // A link owned by root is taken for what the user has named.
    lchown(directory.file("access.log"), 0, 0)
    #expect(throws: Never.self) { try open(directory.file("access.log")) }
  }

  /// Paths that lead to the null device.
  @Test(arguments: ["/dev/null", "link", "chain"])
  func aLinkToADeviceIsTheDevice(way: String) throws {
    link("link", to: "/dev/null")
    link("chain", to: "link")
    let path = way.hasPrefix("/") ? way : directory.file(way)
    let sink = try open(path)
    try sink.take(["line"])
    _ = try sink.close(at: .test)
    #expect(directory.names == ["chain", "link"])
    #expect(SystemCalls.real.status(ofPath: "/dev/null").map { $0.st_mode & S_IFMT } == S_IFCHR)
  }

  /// Paths that lead to a descriptor of this process, whose file already has contents.
  @Test(arguments: ["/proc/self/fd/", "/dev/fd/", "/proc/thread-self/fd/", "link"], [true, false])
  func aDescriptorIsWrittenToAndNeverEmptiedOrRenamed(way: String, appends: Bool) throws {
    directory.write("out", "before\n")
    let descriptor = Glibc.open(directory.file("out"), O_WRONLY | O_APPEND | O_CLOEXEC)
    defer { close(descriptor) }
    link("link", to: "/proc/self/fd/\(descriptor)")
    let path = way == "link" ? directory.file("link") : "\(way)\(descriptor)"
    let sink = try open(path) { $0.appends = appends }
    try sink.take(["line"])
    try sink.reopen(at: .test)
    _ = try sink.close(at: .test)
    #expect(directory.text("out") == "before\nline\n")
    #expect(directory.names == ["link", "out"])
  }

  @Test(arguments: [
    "--rotate-size", "--keep", "--gzip", "--symlink", "--post-rotate", "--mode", "--owner", "--sync",
  ])
  func whatADeviceCannotHaveIsRefused(option: String) throws {
    let error = #expect(throws: SystemError.self) {
      try open("/dev/null") { options in
        switch option {
        case "--rotate-size": options.rotateBytes = 1
        case "--keep": options.keep = 1
        case "--gzip": options.compression = .gzip(level: 1)
        case "--symlink": options.link = directory.file("link")
        case "--post-rotate": options.postRotate = "true"
        case "--mode": options.attributes.mode = 0o600
        case "--sync": options.sync = .eachBatch
        default: options.attributes.owner = 0
        }
      }
    }
    #expect(error?.description == "/dev/null: open: \(option) needs a file, which this is not")
  }

  @Test(arguments: ["/dev/nul-by-mistake", "/proc/nothing", "/dev/%Y/log", "/proc/%d"])
  func filesAreNotMadeAmongDevices(path: String) throws {
    let error = #expect(throws: SystemError.self) { try open(path) { $0.appends = true } }
    #expect(error?.description.contains("files aren't made in") == true)
    #expect(access(path, F_OK) != 0)
  }

  @Test func aNameThatPromisesCompressionIsSaidToLie() throws {
    _ = try open(directory.file("access.log.gz"))
    #expect(
      warnings.all == [
        "\(directory.file("access.log.gz")): is written as it is, in spite of its name; --gzip compresses"
      ])
    _ = try open(directory.file("other.log.gz")) { $0.compression = .gzip(level: 1) }
    _ = try open(directory.file("other.log"))
    #expect(warnings.all.count == 1)
    _ = try open(directory.file("access.log.zst"))
    #expect(warnings.all.count == 2 && warnings.all[1].hasSuffix("in spite of its name; --zstd compresses"))
  }

  // MARK: Files of another kind

  private static let gzipText: [UInt8] = [
    0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0x4b, 0x4c, 0x4a, 0xe6, 2, 0, 0x4e, 0x81, 0x88, 0x47, 4, 0, 0, 0,
  ]

  /// Kind, contents, and the gzip level of the output; -1 stands for zstd.
  private static let foreign: [(String, [UInt8], Int?)] = [
    ("not-gzip", Array("some text\n".utf8), 6), ("is-gzip", gzipText, nil),
    ("is-zstd", CompressionFormat.zstd.emptyPart, nil), ("not-zstd", Array("some text\n".utf8), -1),
    ("not-zstd", gzipText, -1), ("not-gzip", CompressionFormat.zstd.emptyPart, 6),
    ("damaged", CompressionFormat.zstd.emptyPart + Array("and more".utf8), -1),
    ("not-lines", [0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0, 0, 0, 10], nil),
    ("not-lines", Array("a note without an end".utf8), nil),
    ("damaged", gzipText + Array("and more".utf8), 6),
    // A truncated archive of another program, all of which could be cut off as torn.
    ("damaged", Array(gzipText.prefix(10)) + Array(repeating: 0x55, count: 200), 6),
    ("damaged", Array("line\n".utf8) + Array(repeating: 0x78, count: FileRepair.tornBytesMax + 1), nil),
  ]

  @Test(arguments: foreign)
  func aFileThatIsNotOursIsPutAsideUnderANameThatSaysSo(
    kind: String, bytes: [UInt8], gzip: Int?
  ) throws {
    directory.write("access.log", bytes)
    let sink = try sink {
      $0.appends = true
      $0.compression = gzip.map { $0 < 0 ? .zstd(level: 1) : .gzip(level: $0) }
      $0.rotateBytes = 1
      $0.keep = 0
    }
    try sink.take(["line"])
    try sink.flush(at: .test)
    _ = try sink.tick(at: .test)
    let aside = "access.log.\(stamp()).\(kind)"
    #expect(directory.names == ["access.log", aside])
    let isUntouched = directory.bytes(aside) == bytes
    #expect(isUntouched)
    #expect(warnings.all.count == 1)
    #expect(warnings.all.first?.hasSuffix(": put aside as \(aside)") == true)
    // Another such file, in the same second.
    directory.write("access.log", bytes)
    try sink.reopen(at: .test)
    try sink.take(["line"])
    #expect(directory.names.contains("access.log.\(stamp())-2.\(kind)"))
  }

  @Test func aTornBeginningIsCutIfItIsOurs() throws {
    try run("line") { $0.rotateBytes = 100 }
    directory.overwrite("access.log", Array("half a li".utf8))
    try run("whole") { $0.rotateBytes = 100 }
    #expect(directory.names == ["access.log"])
    #expect(directory.text("access.log") == "whole\n")
  }
}
