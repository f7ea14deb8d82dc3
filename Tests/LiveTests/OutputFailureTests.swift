import TestSupport
import Testing

extension LiveSuite {
  /// An output that fails causes one clear line: if it may work again, it is tried again; otherwise the
  /// program ends.
  @Suite(.needs(.spillway)) struct OutputFailureTests {
    @Test func `a full disk is said once, and status 4 if it stays full`() async throws {
      try await onOwnThread {
        let varnish = try VarnishInstance()
        let follower = try Follower(varnish, ["-w", "/dev/full", "--drain", "1s"])
        try follower.probe { () throws(SupportError) in try !follower.complaints().isEmpty }
        // More lines meet the same disk; nothing more is said, and nothing is lost yet.
        for _ in 0..<5 { try follower.probe() }
        // An answer comes before its record; once six requests were seen, those of the first six probes are
        // in the log.
        try follower.probe { () throws(SupportError) in try follower.accounting().seen >= 6 }
        let figures = try follower.accounting()
        #expect(figures.addsUp && figures.dropped == 0, "\(figures)")
        #expect(follower.child.isRunning)
        try follower.child.terminate(by: .after(.seconds(10)))
        // One complaint when the failure began, and one because it still lasted at the end.
        let complaints = try complaintsAtEnd(of: follower)
        #expect(complaints.count == 2, "\(complaints)")
        #expect(complaints.allSatisfy { $0.contains("/dev/full: write: No space left on device") })
        #expect(try follower.lastAccounting().dropped >= 6)
      }
    }

    @Test func `a consumer that vanished is one line and status 4`() async throws {
      try await onOwnThread {
        let varnish = try VarnishInstance()
        let follower = try Follower(varnish, [], output: .unread)
        try follower.output.closeEnd()
        try follower.probe { () throws(SupportError) in !follower.child.isRunning }
        let complaints = try complaintsAtEnd(of: follower)
        #expect(complaints.count == 1, "\(complaints)")
        #expect(complaints.first?.contains("standard output") == true)
      }
    }

    private func complaintsAtEnd(of follower: Follower) throws -> [String] {
      let end = try follower.child.wait(by: .after(.seconds(5)))
      #expect(end.status == 4)
      try follower.messages.waitForEnd(by: .after(.seconds(5)))
      return try follower.complaints()
    }
  }
}
