import Glibc
@testable import Platform
@testable import Shipping
import TestSupport
import Testing

/// Files that runs leave one after the other and side by side, when the program is used as usual.
@Suite(.serialized, .needs(.spillway), .limit(minutes: 3))
struct FileSeriesTests {
  private let home: TestSupport.TemporaryDirectory
  private let output: TestSupport.TemporaryDirectory

  init() throws {
    home = try TestSupport.TemporaryDirectory()
    output = try TestSupport.TemporaryDirectory()
    for name in ["a", "b", "c", "d", "e", "f"] { try writeLog(name, requests: 1) }
    try writeLog("many", requests: 3000)
  }

  /// Writes a log of requests whose paths contain its name.
  private func writeLog(_ name: String, requests: Int) throws {
    var builder = LogFileBuilder()
    for number in 1...requests {
      builder.add(UInt64(number), .client, "Begin", "req 1 rxreq")
      builder.add(UInt64(number), .client, "ReqURL", "/\(name)/\(number)")
      builder.add(UInt64(number), .client, "End")
    }
    try writeFile(home.file(name), builder.bytes)
  }

  private func command(_ log: String, _ arguments: [String], zone: String? = nil) throws -> Command {
    var command = try Subject.found().ncsa(["-r", home.file(log), "-F", "%U"] + arguments)
    command.environment = ["SPILLWAY_COMPAT": nil, "TZ": zone]
    return command
  }

  private func run(_ log: String, _ arguments: [String], zone: String? = nil) throws -> ProcessResult {
    let result = try ProcessRunner.run(try command(log, arguments, zone: zone))
    #expect(result.status == 0, "\(result.errorText)")
    return result
  }

  /// The lines in all files of the output's directory.
  private func lines() throws -> [String] {
    try directoryEntries(output.path).flatMap { try readText(output.file($0)).split(separator: "\n") }
      .map(String.init).sorted()
  }

  /// Each run's clock shows an hour less than the one before, as when summer time ends or when a machine
  /// moves.
  @Test(arguments: ["access-%H.log", "access-%Y%m%d-%H.log", "access-%d%H.log"])
  func `local time that goes back deletes nothing new`(name: String) async throws {
    try await onOwnThread {
      for (index, log) in ["a", "b", "c", "d", "e", "f"].enumerated() {
        let arguments = ["-a", "-w", output.file(name), "--rotate-every", "1h", "--keep", "2"]
        let said = try run(log, arguments, zone: "TTT-\(12 - index)").errorText
        #expect(said == "")
      }
      let lines = try lines()
      #expect(lines == ["/d/1", "/e/1", "/f/1"])
    }
  }

  /// Two runs at the same time in one directory, with names that differ only in their ends.
  @Test(arguments: ["--gzip", "--stats"])
  func `outputs side by side delete only their own files`(option: String) async throws {
    try await onOwnThread {
      let commands = [
        ["-w", output.file("access.log"), "--rotate-size", "1K", "--keep", "3"],
        ["-w", output.file("access.log.gz"), "--rotate-size", "1K", "--keep", "7", option],
      ]
      let children = try commands.map { try ChildProcess(try command("many", $0)) }
      for child in children { #expect(try child.wait(by: .after(.seconds(60))).status == 0) }
      let before = filesByOutput()
      #expect(before.count == 2)
      _ = try run("many", ["-a", "-w", output.file("access.log"), "--rotate-size", "1K", "--keep", "1"])
      let after = filesByOutput()
      let unchanged = before.filter { after[$0.key] == $0.value }
      #expect(unchanged.count == 1, "\(before) \(after)")
      #expect(after.values.contains { $0.count == 2 })
    }
  }

  /// The files in the output's directory, by the output that is recorded as their maker.
  private func filesByOutput() -> [Substring: [String]] {
    Dictionary(grouping: directoryEntries(output.path)) {
      mark(of: output.file($0)).split(separator: " ").last ?? ""
    }
  }

  @Test func `standard output that is a file is neither emptied nor renamed`() async throws {
    try await onOwnThread {
      for path in ["/dev/stdout", "/proc/self/fd/1", "/dev/fd/1"] {
        try writeFile(output.file("out"), "before\n".utf8)
        var shell = Command("sh", ["-c", "exec \"$@\" >> '\(output.file("out"))'", "sh"])
        let inner = try command("a", ["-w", path])
        shell.arguments += [inner.executable] + inner.arguments
        shell.environment = inner.environment
        let status = try ProcessRunner.run(shell).status
        #expect(status == 0)
        let lines = try lines()
        #expect(lines == ["/a/1", "before"])
        #expect(directoryEntries(output.path) == ["out"])
      }
    }
  }

  @Test(.needs(.root))
  func `mode and owner are those that are asked for, or the umask's`() async throws {
    try await onOwnThread {
      _ = try run("a", ["-w", output.file("x/%Y/log"), "--mode", "0640", "--owner", "daemon:adm"])
      var status = stat()
      let year = try #require(directoryEntries(output.file("x")).first)
      #expect(stat(output.file("x/\(year)/log"), &status) == 0)
      #expect(status.st_mode & 0o7777 == 0o640)
      #expect(status.st_uid == getpwnam("daemon")?.pointee.pw_uid)
      #expect(status.st_gid == getgrnam("adm")?.pointee.gr_gid)
      #expect(stat(output.file("x/\(year)"), &status) == 0)
      #expect(status.st_mode & 0o7777 == 0o750)
      var shell = Command("sh", ["-c", "umask 027; exec \"$@\"", "sh"])
      let inner = try command("a", ["-w", output.file("plain")])
      shell.arguments += [inner.executable] + inner.arguments
      #expect(try ProcessRunner.run(shell).status == 0)
      #expect(stat(output.file("plain"), &status) == 0)
      #expect(status.st_mode & 0o7777 == 0o640)
    }
  }

  /// The program ends while the command runs: its end is recorded all the same, and it isn't run again.
  @Test func `a command that outlives the program is run once`() async throws {
    try await onOwnThread {
      let record = home.file("record")
      let gate = home.file("gate")
      let rotation = ["-a", "-w", output.file("log-%H"), "--rotate-every", "1h"]
      let slow =
        rotation + [
          "--post-rotate",
          "exec >/dev/null 2>&1; while [ ! -e '\(gate)' ]; do sleep 0.05; done; cat \"$1\" >> '\(record)'",
        ]
      _ = try run("a", rotation, zone: "TTT-12")
      let said = try run("b", slow, zone: "TTT-11").errorText
      #expect(said == "")
      try writeFile(gate, "".utf8)
      let isDone = try poll(until: .after(.seconds(30))) { () throws(SupportError) in
        directoryEntries(output.path).contains { mark(of: output.file($0)).contains(" d ") }
      }
      #expect(isDone)
      _ = try run("c", slow, zone: "TTT-11")
      #expect(try readText(record) == "/a/1\n")
    }
  }

  private func mark(of path: String) -> String {
    String(decoding: (try? SystemCalls.real.attribute(FileMark.name, ofPath: path)) ?? [], as: UTF8.self)
  }

  @Test func `help shows how the level is written`() throws {
    let text = try ProcessRunner.run(try Subject.found().ncsa(["--help"])).text
    #expect(text.split(separator: "\n").contains { $0.hasPrefix("  --gzip[=<level>]") })
    #expect(!text.contains("--gzip <level>"))
  }
}
