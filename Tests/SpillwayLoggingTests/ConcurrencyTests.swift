import VarnishLog
import LogWriting
import Glibc
import Logging
import SpillwayLogging
import TestSupport
import Testing

/// Many threads and tasks at once, and readers that are stopped.
@Suite(.needs(.spillway))
struct ConcurrencyTests {
  @Test func `each of many tasks' requests is logged once and unmixed`() async throws {
    let log = try SharedLog(.v41, logByteCount: 16 << 20)
    let access = AccessLog(log.writer)
    let logger = Logger(label: "worker", factory: { SpillwayLogHandler(label: $0, writer: log.writer) })
    await withTaskGroup(of: Void.self) { group in
      for task in 0..<8 {
        group.addTask {
          for index in 0..<250 {
            let request = access.begin(method: "GET", target: "/\(task)/\(index)", client: nil)
            request.addHeader("X-Same", "/\(task)/\(index)")
            await request.asCurrent {
              logger.info("working", metadata: ["path": "/\(task)/\(index)"])
              await Task.yield()
              request.respond(status: 200)
            }
            request.end()
          }
        }
      }
    }
    let lines = try await onOwnThread { try log.lines(["-F", "%U %{X-Same}i %{VCL_Log:path}x"]) }
    let paths = lines.map { $0.split(separator: " ") }
    #expect(paths.allSatisfy { $0.count == 3 && Set($0).count == 1 })
    #expect(Set(lines).count == 2000 && lines.count == 2000)
  }

  @Test func `many threads may work for one request`() async throws {
    let log = try SharedLog()
    let request = AccessLog(log.writer).begin(method: "GET", target: "/", client: nil)
    request.respond(status: 200)
    await withTaskGroup(of: Void.self) { group in
      for task in 0..<8 {
        group.addTask {
          for index in 0..<1000 {
            request.sent(1)
            if index % 100 == 0 { request.log("task", "\(task)") }
          }
        }
      }
    }
    request.end()
    let (lines, records) = try await onOwnThread {
      (try log.lines(["-F", "%b"]), try log.records(["-i", "VCL_Log"]))
    }
    #expect(lines == ["8000"])
    #expect(records.count == 80)
  }

  @Test(.limit(minutes: 2)) func `a reader that is stopped holds up nobody`() async throws {
    try await onOwnThread {
      let log = try SharedLog(.v41, logByteCount: 1 << 17)
      let access = AccessLog(log.writer)
      func request(_ target: String) {
        let request = access.begin(method: "GET", target: target, client: nil)
        request.respond(status: 200)
        request.end()
      }
      let reader = try ChildProcess(
        try Subject.found().ncsa(["-n", log.writer.directory, "-F", "%U"]))
      let output = try #require(reader.output)
      let isAttached = try poll(until: .after(.seconds(20))) {
        request("/attach")
        return output.text.contains("/attach")
      }
      try #require(isAttached)
      reader.signal(SIGSTOP)
      while log.writer.statistics.cycles < 5 { request("/unread") }
      reader.signal(SIGCONT)
      let isBack = try poll(until: .after(.seconds(20))) {
        request("/back")
        return output.text.contains("/back")
      }
      #expect(isBack)
      // Only the reader itself has lost what it missed, and it says so.
      #expect(try reader.terminate(by: .after(.seconds(10))).status == 5)
    }
  }

  @Test func `after the log is closed a server goes on`() throws {
    let log = try SharedLog()
    let request = AccessLog(log.writer).begin(method: "GET", target: "/", client: nil)
    log.writer.close()
    #expect(!request.end())
    Logger(label: "x", factory: { SpillwayLogHandler(label: $0, writer: log.writer) }).error("nobody hears")
  }
}
