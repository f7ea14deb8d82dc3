import TestSupport
import Testing

extension LiveSuite {
  /// A consumer of standard output that does not read.
  @Suite struct StalledConsumerTests {
    @Test func `a consumer that slept gets every line afterwards`() async throws {
      try await onOwnThread {
        let varnish = try VarnishInstance()
        let follower = try Follower(varnish, [])
        try follower.attach()
        let output = try follower.output
        output.sleep()
        var plan = LiveSuite.load(on: varnish)
        plan.count = max(30_000, LiveSuite.requests)
        plan.ratePerSecond = 10_000
        let report = try LoadClient(plan).wait(by: LiveSuite.loadLimit)
        // The sleeping consumer doesn't slow down the cache.
        #expect(report.rate > 9_000)

        output.wake()
        let all = try poll(every: .milliseconds(100), until: .after(.seconds(20))) {
          LineTally(plan, output.bytes).lineCount >= plan.count
        }
        #expect(all, "lines are still missing")
        let end = try follower.child.terminate(by: .after(.seconds(10)))
        try output.waitForEnd(by: .after(.seconds(5)))
        #expect(end.status == 0)
        #expect(LineTally(plan, output.bytes).discrepancy(from: report) == nil)
      }
    }

    @Test(.needs(.spillway))
    func `SIGTERM ends it in time though nobody reads, with the accounting`() async throws {
      try await onOwnThread {
        let varnish = try VarnishInstance()
        let follower = try Follower(varnish, ["--drain", "1s"], output: .unread)
        try follower.probe { () throws(SupportError) in try follower.accounting().written > 0 }
        // Far more than a pipe holds.
        let report = try LoadClient.run(
          LoadPlan(port: varnish.port, prefix: "load", count: 30_000))
        let taken = try poll(every: .milliseconds(100), until: .after(.seconds(20))) {
          () throws(SupportError) in try follower.accounting().seen >= report.answeredCount
        }
        #expect(taken, "the reader waits for its output")

        let time = try ContinuousClock().measure {
          try follower.child.terminate(by: .after(.seconds(20)))
        }
        #expect(time < .seconds(3))
        try follower.messages.waitForEnd(by: .after(.seconds(5)))
        let figures = try follower.lastAccounting()
        #expect(figures.addsUp, "\(figures)")
        #expect(figures.seen >= report.answeredCount)
        #expect(figures.dropped > 0, "what the consumer never took was not written")
        let status = try follower.child.wait(by: .after(.seconds(1))).status
        #expect(status == 4 || status == 5)
      }
    }
  }
}

extension LineTally {
  /// Counts the lines that an output has up to now; half a line at the end is still being written.
  fileprivate init(_ plan: LoadPlan, _ bytes: [UInt8]) {
    self.init(plan)
    add(bytes)
  }
}
