import Glibc
@testable import Metrics
import Platform
import Shipping
import Synchronization
import TestSupport
import Testing

/// The metrics file for node_exporter's textfile collector.
struct TextfileTests {
  @Test func `a reader never sees half of it`() async throws {
    try await onOwnThread {
      let home = try TemporaryDirectory()
      let file = Textfile(path: home.file("spillway.prom"))
      let contents = (1...8).map { [UInt8](repeating: UInt8($0), count: $0 * 50_000) }
      try file.write(contents[0])
      let isOver = Atomic(false)
      let path = file.path
      let failure = Monitor<String?>(nil)
      let reads = Monitor(0)
      detachThread {
        while !isOver.load(ordering: .relaxed) {
          guard let bytes = try? readFile(path), contents.contains(bytes) else {
            return failure.withLock { $0 = "not whole" }
          }
          reads.withLock { $0 += 1 }
        }
      }
      for round in 0..<400 {
        let before = reads.withLock { $0 }
        try file.write(contents[round % 8])
        if round % 40 == 0 {
          _ = reads.wait(until: .after(.seconds(10))) { $0 > before ? true : nil }
        }
      }
      isOver.store(true, ordering: .relaxed)
      #expect(failure.withLock { $0 } == nil && reads.withLock { $0 } > 9)
      #expect(directoryEntries(home.path) == ["spillway.prom"])
    }
  }

  @Test(arguments: [SystemCalls.Call.open, .write, .rename, .close])
  func `what fails leaves the former state, and works the next time`(call: SystemCalls.Call) throws {
    let home = try TemporaryDirectory()
    let path = home.file("spillway.prom")
    try Textfile(path: path).write([1])
    let failing = SystemCalls { $0 == call ? .fail(ENOSPC) : nil }
    #expect(throws: SystemError.self) { try Textfile(path: path, system: failing).write([2, 2]) }
    #expect(try readFile(path) == [1])
    try Textfile(path: path).write([3])
    #expect(try readFile(path) == [3])
    #expect(directoryEntries(home.path) == ["spillway.prom"])
  }

  @Test func `a link that somebody has planted isn't followed`() throws {
    let home = try TemporaryDirectory()
    let (path, victim) = (home.file("spillway.prom"), home.file("victim"))
    try writeFile(victim, [7])
    #expect(symlink(victim, path + ".new") == 0 && symlink(victim, path) == 0)
    try Textfile(path: path).write([1])
    #expect(try readFile(victim) == [7] && readFile(path) == [1])
  }
}
