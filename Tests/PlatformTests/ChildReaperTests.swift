import Glibc
@testable import Platform
import TestSupport
import Testing

@Suite struct ChildReaperTests {
  /// Starts children that read from a pipe until it is closed.
  private func startChildren(_ count: Int) throws -> (children: [pid_t], writeEnd: Int32) {
    let (input, writeEnd) = try makePipe()
    defer { close(input) }
    let children = try (0..<count).map { _ in try SystemCalls.real.startShell("read line", input: input) }
    return (children, writeEnd)
  }

  /// Whether nothing is left of a child, not even its status.
  private func isGone(_ child: pid_t) -> Bool { kill(child, 0) != 0 && errno == ESRCH }

  @Test func `children that end long after they were handed over leave nothing behind`() throws {
    let reaper = ChildReaper()
    // Twice, because the reaper's thread ends with the last child.
    for _ in 0..<2 {
      let (children, writeEnd) = try startChildren(3)
      for child in children { reaper.adopt(child) }
      #expect(children.allSatisfy { kill($0, 0) == 0 }, "they run")
      close(writeEnd)
      let limit = Deadline.after(.seconds(60))
      while !children.allSatisfy(isGone) {
        try #require(!limit.hasPassed, "\(children) are still there")
        sched_yield()
      }
    }
  }

  @Test func `a child that something else has waited for doesn't keep the thread`() throws {
    let reaper = ChildReaper()
    let (children, writeEnd) = try startChildren(2)
    close(writeEnd)
    var status: Int32 = 0
    #expect(waitpid(children[0], &status, 0) == children[0])
    for child in children { reaper.adopt(child) }
    let limit = Deadline.after(.seconds(60))
    while !isGone(children[1]) {
      try #require(!limit.hasPassed)
      sched_yield()
    }
  }
}
