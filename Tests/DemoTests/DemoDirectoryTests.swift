import Glibc
import TestSupport
import Testing

@Suite("The directory of spillway demo", .needs(.spillway))
struct DemoDirectoryTests {
  @Test("Nothing is left of it, however the run ends", arguments: [nil, SIGTERM, SIGINT, SIGHUP])
  func isRemoved(signal: Int32?) async throws {
    try await onOwnThread {
      let home = try TemporaryDirectory()
      var command = try DemoRun.command(signal == nil ? ["--count", "20", "--rate", "500"] : [])
      command.environment["TMPDIR"] = home.path
      let child = try ChildProcess(command)
      if let signal {
        _ = try child.output?.nextLine(by: .after(.seconds(30)))
        #expect(directoryEntries(home.path).count == 1)
        child.signal(signal)
      }
      let end = try child.wait(by: .after(.seconds(30)))
      #expect(end.status == 0)
      #expect(directoryEntries(home.path).isEmpty)
    }
  }

  @Test("One that was there stays, empty but for the lock; one that wasn't goes")
  func givenDirectory() async throws {
    try await onOwnThread {
      let home = try TemporaryDirectory()
      let run = try DemoRun.run("-n", home.path, "--count", "5", "--rate", "500")
      #expect(run.status == 0 && run.lines.count == 5)
      #expect(run.errorText.contains("spillway log -n \(home.path)"))
      #expect(directoryEntries(home.path).allSatisfy { $0 == "_.pid" })
      let made = home.file("made")
      _ = try DemoRun.run("-n", made, "--count", "5", "--rate", "500")
      #expect(access(made, F_OK) != 0)
    }
  }

  @Test("Two in one place are one too many, and what a killed one leaves is no obstacle")
  func leftovers() async throws {
    try await onOwnThread {
      let home = try TemporaryDirectory()
      let place = home.file("log")
      let first = try ChildProcess(try DemoRun.command(["-n", place]))
      _ = try first.output?.nextLine(by: .after(.seconds(30)))
      let second = try DemoRun.run("-n", place, "--count", "5")
      #expect(second.status == 1 && second.errorText.contains("\(first.identifier)"))
      first.signal(SIGKILL)
      try first.wait(by: .after(.seconds(10)))
      let third = try DemoRun.run("-n", place, "--count", "5", "--rate", "500")
      #expect(third.status == 0 && third.lines.count == 5)
    }
  }
}
