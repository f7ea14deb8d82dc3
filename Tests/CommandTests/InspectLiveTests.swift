import Glibc
import Synchronization
import TestSupport
import Testing

/// `spillway inspect -n` of servers of all layouts that write meanwhile.
@Suite(.needs(.spillway))
struct InspectLiveTests {
  /// Has a server write in a thread of its own until a command has ended.
  private static func document(of server: any PlayedServer, in directory: String) throws -> [String: Any] {
    let (hasWritten, isEndWanted, hasEnded) = (Flag(), Flag(), Flag())
    // Used by that thread alone until it has ended.
    nonisolated(unsafe) let server: any PlayedServer = server
    detachThread {
      var number = 1
      while !isEndWanted.isUp {
        server.log("/\(number)", number: number)
        server.tick()
        number += 1
        if number > 3 { hasWritten.raise() }
        usleep(2000)
      }
      hasEnded.raise()
    }
    defer {
      isEndWanted.raise()
      // The file may be unmapped only then.
      while !hasEnded.isUp { usleep(1000) }
    }
    // The command looks through the log before it watches it.
    while !hasWritten.isUp { usleep(1000) }
    return try InspectTests.watchedDocument(["-n", directory])
  }

  private final class Flag: Sendable {
    private let state = Atomic(false)
    var isUp: Bool { state.load(ordering: .acquiring) }
    func raise() { state.store(true, ordering: .releasing) }
  }

  /// What is the same for all of them.
  private static func check(_ json: [String: Any]) throws {
    let rate = try #require((json["rates"] as? [[String: Any]])?.first)
    #expect(rate["basis"] as? String == "sample" && rate["bytes"] as? Double ?? 0 > 0)
    #expect(rate["ring_seconds"] as? Double ?? 0 > 0)
    let sections: [String?] = try InspectTests.members(json, "sections", "class")
    #expect(sections.contains("Log"))
    #expect((json["transactions"] as? [String: Int])?["req rxreq"] ?? 0 > 0)
  }

  @Test func `2.1 is watched, and its manager runs`() async throws {
    try await onOwnThread {
      let directory = try TemporaryDirectory()
      let json = try Self.document(of: try Server21(directory: directory.path), in: directory.path)
      try Self.check(json)
      let lives: [Bool?] = try InspectTests.members(json, "writers", "may_run")
      #expect(lives.first == true)
    }
  }

  @Test func `3.0 is watched, and its manager runs`() async throws {
    try await onOwnThread {
      let directory = try TemporaryDirectory()
      let json = try Self.document(of: try Server30(directory: directory.path), in: directory.path)
      try Self.check(json)
      let lives: [Bool?] = try InspectTests.members(json, "writers", "may_run")
      #expect(lives.first == true)
    }
  }

  @Test func `4.0 is watched, and its manager counts`() async throws {
    try await onOwnThread {
      let directory = try TemporaryDirectory()
      let json = try Self.document(of: try Server40(directory: directory.path), in: directory.path)
      try Self.check(json)
      #expect(json["generation"] as? String == "4.0")
      #expect(try InspectTests.members(json, "writers", "note") == ["counts its file's age"])
    }
  }

  @Test func `4.1 is watched with a list that has changed, and its end is told`() async throws {
    try await onOwnThread {
      let directory = try TemporaryDirectory()
      let server = try Server41(directory: directory.path)
      for _ in 0..<3 { server.changeList() }
      let json = try Self.document(of: server, in: directory.path)
      try Self.check(json)
      #expect(try InspectTests.members(json, "writers", "may_run") == [true])
      server.leave()
      let left = try InspectTests.document(["-n", directory.path])
      #expect(try InspectTests.members(left, "writers", "note") == ["has let go of the file"])
      #expect((left["rates"] as? [[String: Any]])?.contains { $0["basis"] as? String == "sample" } == false)
    }
  }
}
