import Glibc
import TestSupport
import Testing

/// Files that the program makes by itself, in a directory in which another user has planted files before.
@Suite(.needs(.spillway))
struct PlantedFileTests {
  private let home: TemporaryDirectory
  private var pidFile: String { home.file("pid") }
  private var victim: String { home.file("victim") }
  private var spool: String { home.file("spool") }

  init() throws {
    home = try TemporaryDirectory()
    try writeFile(victim, "precious".utf8)
  }

  private func run(_ arguments: [String]) throws -> ProcessResult {
    try Subject.found().run(over: CommandLineTests.log, ["-F", "%U"] + arguments)
  }

  /// A planted file at the path of a process number's file, and the words with which it is refused.
  enum Obstacle: String, CaseIterable {
    case link, danglingLink, fifo, text, directory

    var words: String {
      switch self {
      case .link, .danglingLink: "it is a symbolic link"
      case .fifo, .text, .directory: "it exists, and isn't the file of a process number"
      }
    }
  }

  @Test(arguments: Obstacle.allCases)
  func `a process number goes into no file that was there for another purpose`(obstacle: Obstacle) throws {
    switch obstacle {
    case .link: symlink(victim, pidFile)
    case .danglingLink: symlink(home.file("nothing"), pidFile)
    case .fifo: mkfifo(pidFile, 0o666)
    case .text: try writeFile(pidFile, "precious".utf8)
    case .directory: mkdir(pidFile, 0o755)
    }
    let result = try run(["-P", pidFile])
    #expect(result.status == 1)
    #expect(result.errorText.contains("\(pidFile): \(obstacle.words)"))
    #expect(result.output.isEmpty)
    #expect(try readText(victim) == "precious")
    #expect(access(home.file("nothing"), F_OK) != 0)
    #expect(!directoryEntries(home.path).contains { $0.hasSuffix(".new") })
  }

  @Test func `a process number's file that has another name elsewhere is replaced, not written to`() throws {
    try writeFile(victim, "4711".utf8)
    link(victim, pidFile)
    #expect(try run(["-P", pidFile]).status == 0)
    #expect(try readText(victim) == "4711")
    #expect(access(pidFile, F_OK) != 0)
  }

  @Test(arguments: ["", "4711", "4711\n"])
  func `what a process that was killed has left is replaced`(text: String) throws {
    try writeFile(pidFile, text.utf8)
    #expect(try run(["-P", pidFile]).status == 0)
    #expect(directoryEntries(home.path).sorted() == ["victim"])
  }

  @Test func `a device is never replaced`() throws {
    let result = try run(["-P", "/dev/null"])
    #expect(result.status == 1)
    var status = stat()
    #expect(stat("/dev/null", &status) == 0 && status.st_mode & S_IFMT == S_IFCHR)
  }

  @Test(arguments: [0o777, 0o1777, 0o775, 0o702])
  func `a spool where others can write is refused`(mode: Int) throws {
    mkdir(spool, 0o700)
    chmod(spool, mode_t(mode))
    let result = try run(["--exec", "cat > '\(home.file("got"))'", "--spool-dir", spool])
    #expect(result.status == 1)
    #expect(result.errorText.contains("\(spool): spool: can be written by others"))
    #expect(directoryEntries(spool) == [])
    #expect(access(home.file("got"), F_OK) != 0)
  }

  @Test(.needs(.root))
  func `a spool of another user is refused`() throws {
    mkdir(spool, 0o700)
    chown(spool, 65534, 65534)
    let result = try run(["--exec", "cat", "--spool-dir", spool])
    #expect(result.status == 1)
    #expect(result.errorText.contains("belongs to user 65534"))
    #expect(directoryEntries(spool) == [])
  }

  @Test(arguments: ["cursor", "spool-000000000001"])
  func `nothing in a spool is written through a link or taken from one`(name: String) throws {
    mkdir(spool, 0o700)
    symlink(victim, "\(spool)/\(name)")
    _ = try run(["--exec", "cat", "--spool-dir", spool])
    #expect(try readText(victim) == "precious")
    unlink("\(spool)/\(name)")
    link(victim, "\(spool)/\(name)")
    _ = try run(["--exec", "cat", "--spool-dir", spool])
    #expect(try readText(victim) == "precious")
  }
}
