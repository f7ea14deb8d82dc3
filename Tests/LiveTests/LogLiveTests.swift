import TestSupport
import Testing

extension LiveSuite {
  /// `spillway log` on a real instance, compared with varnishlog.
  @Suite(.needs(.spillway)) struct LogLiveTests {
    /// Answers every request, some of them at the second attempt.
    static let restarting = VarnishInstance.answeringVCL.replacing(
      "sub vcl_recv {",
      with: "sub vcl_recv { if (req.restarts == 0 && req.url ~ \"7$\") { return (restart); }"
    )

    @Test(.needs(.program("varnishlog")), arguments: ["vxid", "request"])
    func `the same transactions are shown as varnishlog shows`(grouping: String) async throws {
      try await onOwnThread {
        let varnish = try VarnishInstance(vcl: Self.restarting)
        let arguments = ["-n", varnish.directory, "-g", grouping, "-q", "ReqURL ~ \"^/(probe|load)/\""]
        let subject = try Subject.found()
        let ours = try ChildProcess(subject.log(arguments))
        let theirs = try ChildProcess(Command("varnishlog", arguments))
        var plan = LiveSuite.load(on: varnish)
        plan.count /= 4
        plan.ratePerSecond = plan.count
        let report = try Self.load(plan, followedBy: [ours, theirs]) { text in
          text.count { $0.hasPrefix("-   ReqURL         /load/") } >= plan.count
        }
        #expect(report.answeredCount == plan.count)
        let shown = try Self.groups(ours)
        let expected = try Self.groups(theirs)
        #expect(shown.count >= plan.count)
        #expect(shown.contains { $0.contains(" restart\n") })
        #expect(shown.count == expected.count)
        let first = zip(shown, expected).first { $0 != $1 }
        #expect(first == nil)
      }
    }

    @Test func `a binary file of a live log has every record of a load`() async throws {
      try await onOwnThread {
        let varnish = try VarnishInstance()
        let home = try TemporaryDirectory()
        let file = home.file("log.vsl")
        let subject = try Subject.found()
        let follower = try ChildProcess(
          subject.log(["-n", varnish.directory, "-g", "raw", "-w", file]))
        func urls() throws(SupportError) -> [UInt8] {
          Self.urls(try ProcessRunner.run(subject.log(["-r", file, "-g", "raw", "-i", "ReqURL"])).text)
        }
        try Self.probe(varnish.port) { () throws(SupportError) in
          String(decoding: try urls(), as: UTF8.self).contains("/probe/")
        }
        let plan = LiveSuite.load(on: varnish)
        let report = try LoadClient(plan).wait(by: LiveSuite.loadLimit)
        _ = try poll(every: .milliseconds(300), until: .after(.seconds(20))) { () throws(SupportError) in
          LineTally(plan, try urls()).lineCount >= plan.count
        }
        let end = try follower.terminate(by: .after(.seconds(20)))
        #expect(end.status == 0)
        #expect(LineTally(plan, try urls()).discrepancy(from: report) == nil)

        // The log must contain more than those lines: as many ends as beginnings, and nothing that varnishlog
        // can't read.
        let all = try ProcessRunner.run(subject.log(["-r", file, "-g", "raw", "-i", "Begin,End"])).text
        let lines = all.split(separator: "\n")
        #expect(lines.count { $0.contains(" Begin          c req ") } >= plan.count)
        if try Need.reference.isMet {
          let theirs = try ProcessRunner.run("varnishlog", "-r", file, "-g", "raw", "-i", "Begin,End")
          #expect(theirs.text == all)
        }
      }
    }

    @Test func `a pipe that nobody reads for a while loses nothing`() async throws {
      try await onOwnThread {
        let varnish = try VarnishInstance()
        let subject = try Subject.found()
        let follower = try ChildProcess(
          subject.log(["-n", varnish.directory, "-g", "raw", "-i", "ReqURL"]))
        guard let output = follower.output else { throw SupportError("standard output is no pipe") }
        try Self.probe(varnish.port) { output.text.contains("/probe/") }
        output.sleep()
        let plan = LiveSuite.load(on: varnish)
        let report = try LoadClient(plan).wait(by: LiveSuite.loadLimit)
        output.wake()
        let all = try poll(every: .milliseconds(100), until: .after(.seconds(20))) {
          LineTally(plan, Self.urls(output.text)).lineCount >= plan.count
        }
        #expect(all, "records are still missing")
        let end = try follower.terminate(by: .after(.seconds(10)))
        try output.waitForEnd(by: .after(.seconds(5)))
        #expect(end.status == 0)
        #expect(LineTally(plan, Self.urls(output.text)).discrepancy(from: report) == nil)
      }
    }

    // MARK: - Following

    /// Sends a load once all followers follow the log, waits until they have shown it, and ends them.
    private static func load(
      _ plan: LoadPlan, followedBy followers: [ChildProcess],
      isComplete: ([Substring]) -> Bool
    ) throws(SupportError) -> LoadReport {
      let outputs = followers.compactMap(\.output)
      try probe(plan.port) { outputs.allSatisfy { $0.text.contains("/probe/") } }
      let report = try LoadClient(plan).wait(by: LiveSuite.loadLimit)
      _ = try poll(every: .milliseconds(300), until: .after(.seconds(30))) {
        outputs.allSatisfy { isComplete($0.text.split(separator: "\n")) }
      }
      for follower in followers { _ = try follower.terminate(by: .after(.seconds(20))) }
      for output in outputs { try output.waitForEnd(by: .after(.seconds(10))) }
      return report
    }

    /// Sends requests that tallies ignore, until `condition` holds.
    private static func probe(
      _ port: UInt16, until condition: () throws(SupportError) -> Bool
    ) throws(SupportError) {
      let happened = try poll(until: .after(.seconds(20))) { () throws(SupportError) in
        _ = try LoadClient.run(LoadPlan(port: port, prefix: "probe", count: 1))
        return try poll(until: .after(.milliseconds(1500)), condition)
      }
      guard happened else { throw SupportError("nothing came of the probes") }
    }

    /// The groups of the load, sorted.
    private static func groups(_ follower: ChildProcess) throws(SupportError) -> [String] {
      guard let output = follower.output else { throw SupportError("standard output is no pipe") }
      var groups: [String] = []
      for line in output.text.split(separator: "\n") {
        if line.hasPrefix("*   <<") { groups.append("") }
        if !groups.isEmpty { groups[groups.count - 1] += line + "\n" }
      }
      return groups.filter { $0.contains(" /load/") }.sorted()
    }

    /// The last word of each line, by itself on a line.
    private static func urls(_ text: String) -> [UInt8] {
      text.split(separator: "\n").flatMap { line in Array((line.split(separator: " ").last ?? "").utf8) + [10]
      }
    }
  }
}

extension LineTally {
  /// Counts the lines that there are up to now.
  fileprivate init(_ plan: LoadPlan, _ lines: [UInt8]) {
    self.init(plan)
    add(lines)
  }
}
