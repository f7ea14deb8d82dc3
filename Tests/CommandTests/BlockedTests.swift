import Glibc
import TestSupport
import Testing

/// A blocked input or output must not keep the program from reading, from writing elsewhere, or from ending.
@Suite(.needs(.spillway))
struct BlockedTests {
  private static func command(_ arguments: [String]) throws -> Command {
    var command = try Subject.found().ncsa(arguments)
    command.environment = ["SPILLWAY_COMPAT": nil, "VARNISH_DEFAULT_N": nil, "VINYL_DEFAULT_N": nil]
    return command
  }

  @Test func `standard error that takes nothing holds up neither lines nor the end`() async throws {
    try await onOwnThread {
      let instance = try SampleWorkdir()
      let ring = try instance.startWorker(eighthWords: 512)
      var command = try Self.command(["-n", instance.path, "-F", "%U"])
      command.errorOutput = .unread
      let child = try ChildProcess(command)
      var vxid: UInt64 = 100
      func lineComes() throws -> Bool {
        let before = child.output?.text.utf8.count ?? 0
        return try poll(until: .after(.seconds(20))) { () throws(SupportError) in
          vxid += 1
          ring.append(
            batch: SampleRecord.parse("\(vxid) c Begin req 1 rxreq\n\(vxid) c ReqURL /a\n\(vxid) c End"))
          return child.output?.text.utf8.count ?? 0 > before
        }
      }
      #expect(try lineComes())
      // Each signal is answered by a line of some sixty bytes; a pipe holds 64 KiB.
      for _ in 0..<3000 {
        child.signal(SIGUSR2)
        let isTaken = try poll(until: .after(.seconds(20))) { () throws(SupportError) in
          guard let text = try? readText("/proc/\(child.identifier)/status") else { return true }
          return text.contains("ShdPnd:\t0000000000000000")
        }
        try #require(isTaken)
      }
      #expect(try lineComes())
      #expect(try child.terminate(by: .after(.seconds(20))).status == 0)
    }
  }

  @Test(arguments: [["-r", "FIFO"], ["-r", "-"]])
  func `an input that has nothing to read yet doesn't keep a signal from ending the run`(
    arguments: [String]
  ) async throws {
    try await onOwnThread {
      let home = try TemporaryDirectory()
      mkfifo(home.file("fifo"), 0o600)
      // Standard input is a pipe that stays open and empty.
      let keeper = open(home.file("fifo"), O_RDWR | O_CLOEXEC)
      defer { close(keeper) }
      var command = try Self.command(arguments.map { $0 == "FIFO" ? home.file("fifo") : $0 })
      command.input = .file(home.file("fifo"))
      let child = try ChildProcess(command)
      let isReady = try poll(until: .after(.seconds(20))) { () throws(SupportError) in child.awaits(SIGUSR2) }
      try #require(isReady)
      let end = try child.terminate(by: .after(.seconds(20)))
      #expect(end.status == 1)
      // The messages may be collected a moment after the process has ended.
      let isSaid = try poll(until: .after(.seconds(20))) { () throws(SupportError) in
        child.errorOutput?.text.contains("told to end while opening") == true
      }
      #expect(isSaid)
    }
  }

  @Test func `a named pipe without a writer is opened without being waited for`() async throws {
    try await onOwnThread {
      let home = try TemporaryDirectory()
      mkfifo(home.file("fifo"), 0o600)
      let child = try ChildProcess(try Self.command(["-r", home.file("fifo")]))
      let isReady = try poll(until: .after(.seconds(20))) { () throws(SupportError) in child.awaits(SIGUSR2) }
      try #require(isReady)
      #expect(try child.terminate(by: .after(.seconds(20))).status == 1)
    }
  }
}
