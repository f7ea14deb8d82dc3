import TestSupport
import Testing

extension LiveSuite {
  /// Outputs that fail end the program with one clear line and a status of its own.
  @Suite(.enabled(if: Subject.isSpillway)) struct OutputFailureTests {
    @Test func `a full disk is one line and status 4`() async throws {
      try await onOwnThread {
        let varnish = try VarnishInstance()
        let follower = try Follower(varnish, ["-w", "/dev/full"])
        try follower.probe { () throws(SupportError) in !follower.child.isRunning }
        let complaints = try complaintsAtEnd(of: follower)
        #expect(complaints.count == 1, "\(complaints)")
        #expect(complaints.first?.contains("/dev/full") == true)
        #expect(complaints.first?.contains("No space left on device") == true)
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
