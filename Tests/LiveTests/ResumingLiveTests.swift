import Glibc
import TestSupport
import Testing

extension LiveSuite {
  /// A run that is killed and another that resumes from its checkpoint, compared with varnishd's own count.
  @Suite struct ResumingLiveTests {
    @Test(.needs(.spillway)) func `kills under load cost no line and double none`() async throws {
      try await onOwnThread {
        let varnish = try VarnishInstance()
        let files = try OutputFiles()
        let state = try TemporaryDirectory()
        let arguments = ["-w", files.path, "--resume", state.file("checkpoint")]
        var follower = try Follower(varnish, arguments)
        try follower.attach(files)
        let load = LoadClient(LiveSuite.load(on: varnish))
        for part in 1...9 {
          try load.waitUntilAnswered(LiveSuite.requests * part / 10, by: LiveSuite.loadLimit)
          follower.child.signal(SIGKILL)
          _ = try follower.child.wait(by: .after(.seconds(20)))
          follower = try Follower(varnish, arguments)
        }
        let report = try load.wait(by: LiveSuite.loadLimit)
        _ = try poll(until: .after(.seconds(30))) { () throws(SupportError) in
          try files.discrepancy(from: report) == nil
        }
        _ = try follower.child.terminate(by: .after(.seconds(20)))
        let discrepancy = try files.discrepancy(from: report)
        #expect(discrepancy == nil)
      }
    }

    @Test(.needs(.spillway)) func `what the log held no longer is said, as many as varnishd has served`()
      async throws
    {
      try await onOwnThread {
        let varnish = try VarnishInstance(parameters: ["vsl_space": "2m"])
        let files = try OutputFiles()
        let state = try TemporaryDirectory()
        let arguments = ["-w", files.path, "--resume", state.file("checkpoint")]
        let first = try Follower(varnish, arguments)
        try first.attach(files)
        let count = LiveSuite.requests
        _ = try LoadClient.run(LoadPlan(port: varnish.port, prefix: "load", count: 1000, ratePerSecond: 2000))
        _ = try poll(until: .after(.seconds(20))) { () throws(SupportError) in
          try files.text().contains("/load/999\n")
        }
        first.child.signal(SIGKILL)
        _ = try first.child.wait(by: .after(.seconds(20)))
        _ = try LoadClient.run(
          LoadPlan(port: varnish.port, prefix: "gone", count: count, ratePerSecond: 20_000))
        // varnishd's threads add to the counter only now and then.
        _ = try poll(every: .milliseconds(200), until: .after(.seconds(20))) { () throws(SupportError) in
          try requestCount(of: varnish) > count + 1000
        }
        let served = try requestCount(of: varnish)
        let second = try Follower(varnish, arguments)
        let line = try second.messages.line(containing: "bytes of the log", by: .after(.seconds(20)))
        _ = try poll(until: .after(.seconds(20))) { () throws(SupportError) in
          try files.text().contains("/gone/\(count - 1)\n")
        }
        _ = try second.child.terminate(by: .after(.seconds(20)))
        let lines = try files.text().split(separator: "\n")
        // All probes of one kind have the same path.
        let loads = lines.filter { !$0.hasPrefix("/probe/") }
        #expect(Set(loads).count == loads.count, "nothing twice")
        let missing = served - lines.count
        let words = line.split(separator: " ")
        let said = words.firstIndex(of: "(about").flatMap { Int(words[$0 + 1]) } ?? 0
        #expect(missing > 0)
        // All requests are of like size, except for the number's length.
        #expect(abs(said - missing) <= missing / 10, "\(missing) are missing: \(line)")
      }
    }

    /// How many requests varnishd has counted.
    private func requestCount(of varnish: VarnishInstance) throws(SupportError) -> Int {
      var command = Command("varnishstat", ["-n", varnish.directory, "-1", "-f", "MAIN.client_req"])
      command.output = .collected
      let text = String(decoding: try ProcessRunner.run(command).output, as: UTF8.self)
      return text.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
    }
  }
}
