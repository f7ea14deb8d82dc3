import Glibc
import TestSupport
import Testing

/// Directories and names made by another user: they can't make the program wait, lead it to files elsewhere,
/// or have it print control characters.
@Suite(.needs(.spillway))
struct PlantedInputTests {
  private let home: TemporaryDirectory
  private let instance: SampleWorkdir
  private let ring: RingWriter

  init() throws {
    home = try TemporaryDirectory()
    instance = try SampleWorkdir(path: home.file("instance"))
    ring = try instance.startWorker(eighthWords: 512)
  }

  private func run(_ arguments: [String]) throws -> ProcessResult {
    var command = try Subject.found().ncsa(arguments)
    command.environment = ["SPILLWAY_COMPAT": nil]
    return try ProcessRunner.run(command)
  }

  /// The error message for the instance: the program must end at once, however long it may wait.
  private func refusal() throws -> String {
    let result = try run(["-n", instance.path, "-t", "off", "-d"])
    #expect(result.status == 1, "\(result.errorText)")
    return result.errorText
  }

  private var segment: String {
    get throws {
      let names = directoryEntries(instance.path + "/_.vsm_child")
      return instance.path + "/_.vsm_child/" + (try #require(names.first { $0.hasPrefix("_.Log.") }))
    }
  }

  @Test(arguments: ["_.vsm_mgt", "_.vsm_child"])
  func `a named pipe as an index`(directory: String) throws {
    let index = "\(instance.path)/\(directory)/_.index"
    unlink(index)
    try #require(mkfifo(index, 0o644) == 0)
    #expect(try refusal().contains("\(index): it is a named pipe, not a file"))
  }

  @Test(arguments: ["_.vsm_mgt", "_.vsm_child"])
  func `a link out of the directory as an index`(directory: String) throws {
    let index = "\(instance.path)/\(directory)/_.index"
    try #require(rename(index, home.file("elsewhere")) == 0)
    symlink(home.file("elsewhere"), index)
    #expect(try refusal().contains("\(index): it is a symbolic link, not a file"))
  }

  @Test func `a link as the manager's directory`() throws {
    let manager = instance.path + "/_.vsm_mgt"
    try #require(rename(manager, home.file("elsewhere")) == 0)
    symlink(home.file("elsewhere"), manager)
    #expect(try refusal().contains("\(manager): it is a symbolic link, not a directory"))
  }

  @Test func `a pipe, a link or a socket as the log`() throws {
    let segment = try segment
    unlink(segment)
    try #require(mkfifo(segment, 0o644) == 0)
    #expect(try refusal().contains("\(segment): open: it is a named pipe, not a file"))
    unlink(segment)
    symlink("/etc/passwd", segment)
    #expect(try refusal().contains("\(segment): open: it is a symbolic link, not a file"))
  }

  @Test(arguments: ["../_.vsm_mgt/_.index", "/etc/passwd", "..", "."])
  func `a name in an index that leads elsewhere`(name: String) throws {
    let index = instance.path + "/_.vsm_child/_.index"
    try writeFile(index, Array("# \(getpid()) 1700000000\n+ \(name) 0 65536 Log Log\n".utf8))
    let result = try run(["-n", instance.path, "-t", "0", "-d"])
    #expect(result.status == 1)
    #expect(result.errorText.contains("lists no log"), "\(result.errorText)")
  }

  @Test func `what is no file is not read as a log`() throws {
    for path in ["/dev/zero", "/dev/null"] {
      let result = try run(["-r", path])
      #expect(result.status == 1)
      #expect(result.errorText == "spillway: Cannot open \(path): it is a device, not a file\n")
    }
  }

  /// `-r` with a directory expects a server's; any other directory is a mistake of the user.
  @Test func `a directory without a log is said to have none`() throws {
    let directory = home.file("others")
    try #require(mkdir(directory, 0o755) == 0)
    try writeFile("\(directory)/access.log", Array("a line\n".utf8))
    let result = try run(["-r", directory])
    #expect(result.status == 1)
    #expect(
      result.errorText
        == "spillway: \(directory): holds no log: none of its 1 files is called _.Log.…, _.vsm or _.vsl\n")
  }

  @Test func `a named pipe is read as a log`() async throws {
    try await onOwnThread {
      let pipe = home.file("pipe")
      try #require(mkfifo(pipe, 0o644) == 0)
      try writeFile(home.file("log"), CommandLineTests.log.bytes)
      let feeder = try ChildProcess(Command("sh", ["-c", "cat \"$0\" > \"$1\"", home.file("log"), pipe]))
      let result = try run(["-r", pipe, "-F", "%U", "-bc"])
      try feeder.wait(by: .after(.seconds(10)))
      #expect(result.text == "/client\n/backend\n")
      #expect(result.status == 0, "\(result.errorText)")
    }
  }

  @Test(arguments: [
    ["-r", "@"], ["-n", "/@", "-t", "0"], ["-w", "/@/@", "-r", "LOG"], ["-Q", "@", "-r", "LOG"],
    ["--format", "/@", "-r", "LOG"], ["--format", "@", "-r", "LOG"], ["-g", "@"], ["--socket", "@"],
    ["--socket", "unix:/@,framing=@"], ["--rotate-size", "@", "-w", "x"], ["-F", "%{@}@", "-r", "LOG"],
    ["-q", "@", "-r", "LOG"], ["--compat", "@"], ["--@"], ["-P", "/@/@", "-r", "LOG"],
    ["--on-restart", "@"], ["-t", "@"], ["-R", "@"], ["-k", "@"], ["@"],
  ])
  func `names and arguments don't reach the terminal as they are`(arguments: [String]) throws {
    try writeFile(home.file("log"), CommandLineTests.log.bytes)
    let hostile = "a\u{1b}[2Jb\u{9b}1m\rc\u{07}\nspillway: all is well"
    let result = try run(
      arguments.map {
        $0 == "LOG"
          ? home.file("log")
          : $0.split(separator: "@", omittingEmptySubsequences: false).joined(separator: hostile)
      })
    #expect(result.status == 1, "\(result.errorText)")
    let text = result.errorText
    #expect(!text.isEmpty)
    #expect(
      text.unicodeScalars.allSatisfy {
        $0 == "\n" || ($0.value >= 0x20 && !(0x7f...0x9f).contains($0.value))
      },
      "\(text.debugDescription)")
    #expect(!text.contains("\nspillway: all is well"), "\(text)")
  }
}
