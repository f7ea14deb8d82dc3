import TestSupport
import Testing

extension LiveSuite {
  /// Every request that was served is in the files exactly once.
  @Suite struct ExactlyOnceTests {
    @Test func `a file has every request once`() async throws {
      try await onOwnThread {
        let varnish = try VarnishInstance()
        let files = try OutputFiles()
        let follower = try Follower(varnish, ["-w", files.path])
        try follower.attach(files)
        let report = try LoadClient(LiveSuite.load(on: varnish)).wait(by: LiveSuite.loadLimit)
        let end = try follower.finish(report, files)
        #expect(end.status == 0)
        #expect(report.answeredCount == LiveSuite.requests)
        let discrepancy = try files.discrepancy(from: report)
        #expect(discrepancy == nil)
      }
    }

    @Test(.needs(.spillway))
    func `rotated and packed files have every request once and are whole`() async throws {
      try await onOwnThread {
        let varnish = try VarnishInstance()
        let files = try OutputFiles()
        let rotation = ["--rotate-size", "1k", "--gzip", "--keep", "50"]
        let follower = try Follower(varnish, ["-w", files.path] + rotation)
        try follower.attach(files)
        let report = try LoadClient(LiveSuite.load(on: varnish)).wait(by: LiveSuite.loadLimit)
        let end = try follower.finish(report, files)
        #expect(end.status == 0)
        #expect(files.paths.count > 2)
        let notPacked = try files.notPacked()
        #expect(notPacked == [])
        let discrepancy = try files.discrepancy(from: report)
        #expect(discrepancy == nil)
        let figures = try follower.lastAccounting()
        #expect(figures.addsUp && figures.dropped == 0 && figures.lost == 0, "\(figures)")
      }
    }

    @Test func `a worker that is stopped and started costs no line`() async throws {
      try await interrupted { varnish in
        try varnish.stopWorker()
        try varnish.startWorker()
      }
    }

    @Test func `a worker that is killed costs no line`() async throws {
      try await interrupted { varnish in try varnish.killWorker() }
    }

    @Test func `varnishd started again in the same directory costs no line`() async throws {
      try await interrupted { varnish in try varnish.restart() }
    }

    /// Runs the usual load and interferes after a third of it.
    private func interrupted(
      _ interfere: @Sendable (VarnishInstance) throws -> Void
    ) async throws {
      try await onOwnThread {
        let varnish = try VarnishInstance()
        let files = try OutputFiles()
        let follower = try Follower(varnish, ["-w", files.path])
        try follower.attach(files)
        let load = LoadClient(LiveSuite.load(on: varnish))
        try load.waitUntilAnswered(LiveSuite.requests / 3, by: LiveSuite.loadLimit)
        try interfere(varnish)
        let report = try load.wait(by: LiveSuite.loadLimit)
        let end = try follower.finish(report, files)
        #expect(end.status == 0)
        #expect(report.lostConnections > 0, "the load has not noticed the interruption")
        #expect(report.uncertainCount < LiveSuite.requests / 10)
        let discrepancy = try files.discrepancy(from: report)
        #expect(discrepancy == nil)
      }
    }
  }
}
