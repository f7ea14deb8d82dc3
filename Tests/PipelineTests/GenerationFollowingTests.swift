import Glibc
@testable import Pipeline
import Platform
import TestSupport
import Testing

/// A run that follows servers of each kind of shared memory, through everything that such servers do.
struct GenerationFollowingTests {
  private let stage: Stage
  private var paths: [String] = []

  init() throws { stage = try Stage(writes: false) }

  /// The kinds of servers.
  enum Kind: CaseIterable, CustomTestStringConvertible {
    case v20, v21, v30, v40, v41, styleA, styleB, styleC

    var testDescription: String {
      switch self {
      case .v20: "2.0"
      case .v21: "2.1"
      case .v30: "3.0"
      case .v40: "4.0"
      case .v41: "4.1 to 5.1"
      case .styleA: "5.2"
      case .styleB: "6.0.0 to 6.2"
      case .styleC: "6.0.5 and newer"
      }
    }

    var isFile: Bool { [.v20, .v21, .v30, .v40, .v41].contains(self) }

    var type: any PlayedServer.Type {
      switch self {
      case .v20: Server20.self
      case .v21: Server21.self
      case .v30: Server30.self
      case .v40: Server40.self
      case .v41: Server41.self
      case .styleA: IndexedServer<IndexStyleA>.self
      case .styleB: IndexedServer<IndexStyleB>.self
      case .styleC: IndexedServer<IndexStyleC>.self
      }
    }
  }

  private func start(_ kind: Kind) throws -> any PlayedServer { try kind.type.init(directory: stage.logPath) }

  private mutating func write(_ count: Int, to server: any PlayedServer) {
    for _ in 0..<count {
      let path = "/\(paths.count)"
      server.log(path, number: paths.count + 1)
      paths.append(path)
    }
  }

  /// Steps the run until something has happened, which must take no more than a second of its own time.
  private func within(
    second follower: inout Follower, _ hasHappened: (FollowEvent) -> Bool
  ) throws -> FollowEvent {
    let begin = stage.clock.clock.now().steadyNanoseconds
    let event = try follower.step(until: hasHappened)
    let passed = stage.clock.clock.now().steadyNanoseconds - begin
    #expect(passed <= 1_000_000_000, "\(passed / 1_000_000) ms")
    return event
  }

  private func expectAll(_ follower: inout Follower) throws {
    try follower.catchUp()
    try expectDelivered(&follower)
  }

  private func expectDelivered(_ follower: inout Follower) throws {
    #expect(follower.end() == .complete)
    let lines = try stage.lines("all")
    let isSame = lines == paths
    #expect(isSame, "\(lines.count) lines of \(paths.count)")
    let account = follower.finalAccounts()[0]
    #expect(account.seen == paths.count && account.written == paths.count && account.lostBytes == 0)
  }

  @Test(arguments: Kind.allCases)
  mutating func `is read whole and once, through many turns and changes of the list`(kind: Kind) throws {
    let server = try start(kind)
    var follower = try stage.follower([stage.file("all")])
    try follower.attach()
    for round in 0..<1000 {
      write(4, to: server)
      if round % 2 == 0 { try server.changeList() }
      if round % 16 == 0 { server.tick() }
      switch try follower.step() {
      case .read: break
      case let event: Issue.record("round \(round): \(event)")
      }
    }
    try expectAll(&follower)
  }

  @Test(arguments: Kind.allCases.filter { $0 != .v20 })
  mutating func `a run goes on where the one before ended, by its checkpoint`(kind: Kind) throws {
    let server = try start(kind)
    for round in 0..<10 {
      var follower = try stage.resumingFollower([stage.appended("all")])
      try follower.attach()
      try follower.catchUp()
      write(50, to: server)
      if round % 2 == 0 { try follower.catchUp() }
      #expect(follower.end() == .complete)
      write(40, to: server)
    }
    var last = try stage.resumingFollower([stage.appended("all")])
    try last.attach()
    try last.catchUp()
    #expect(last.end() == .complete)
    let lines = try stage.lines("all")
    let (lost, added) = (Set(paths).subtracting(lines).count, lines.count - Set(lines).count)
    #expect(lines == paths, "\(lost) lost, \(added) more than once; \(stage.said)")
  }

  @Test mutating func `where turns aren't counted, it is said that entries may come again`() throws {
    let server = try start(.v20)
    for _ in 0..<4 {
      var follower = try stage.resumingFollower([stage.appended("all")])
      try follower.attach()
      try follower.catchUp()
      let readBefore = try stage.lines("all").count
      for _ in 0..<5 {
        write(70, to: server)
        try follower.catchUp()
      }
      _ = follower.end()
      let lines = Array(try stage.lines("all").dropFirst(readBefore))
      // The lines that the run has read as they came follow those left of the turn in which it began.
      #expect(lines.elementsEqual(paths.suffix(lines.count)) && lines.count >= 350, "\(lines.count) lines")
      write(500, to: server)
    }
    #expect(stage.said.filter { $0.contains("may come again") && $0.contains("is lost") }.count == 3)
  }

  @Test(arguments: Kind.allCases)
  mutating func `a file that is made anew is followed within a second, and the old one read to its end`(
    kind: Kind
  ) throws {
    var server = try start(kind)
    var follower = try stage.follower([stage.file("all")])
    try follower.attach()
    for round in 0..<20 {
      write(5, to: server)
      if round % 3 == 0 { try follower.catchUp() }
      write(3, to: server)
      if round % 2 == 0 { server.leave() }
      server = try start(kind)
      write(2, to: server)
      let event = try within(second: &follower) { if case .attached = $0 { true } else { false } }
      if case .attached(let isNew) = event { #expect(isNew) }
    }
    try expectAll(&follower)
    #expect(stage.said.filter { $0 == "Log abandoned (vsl)" }.count == 20)
    #expect(stage.said.filter { $0 == "Log reacquired" }.count == 20)
    #expect(stage.said.contains { $0.hasSuffix("another log has come in its place") })
  }

  @Test(arguments: Kind.allCases)
  mutating func `a server that ends in an orderly way is waited for`(kind: Kind) throws {
    let server = try start(kind)
    var follower = try stage.follower([stage.file("all")])
    try follower.attach()
    write(5, to: server)
    try follower.catchUp()
    server.leave()
    unlink(stage.logPath + "/_.vsm")
    unlink(stage.logPath + "/_.vsl")
    _ = try within(second: &follower) { if case .lost = $0 { true } else { false } }
    for _ in 0..<20 {
      guard case .absent = try follower.step() else {
        Issue.record("there is no log")
        return
      }
    }
    let next = try start(kind)
    write(6, to: next)
    _ = try within(second: &follower) { if case .attached = $0 { true } else { false } }
    try expectAll(&follower)
  }

  @Test(arguments: Kind.allCases.filter { $0.type.hasList })
  mutating func `a log whose section was freed is left, and the new one followed`(kind: Kind) throws {
    var server = try start(kind)
    var follower = try stage.follower([stage.file("all")])
    try follower.attach()
    for _ in 0..<10 {
      server = try start(kind)
      _ = try within(second: &follower) { if case .attached = $0 { true } else { false } }
      write(50, to: server)
      try follower.catchUp()
      write(5, to: server)
      try server.moveLog()
      write(7, to: server)
      _ = try within(second: &follower) { if case .attached = $0 { true } else { false } }
    }
    try expectAll(&follower)
    #expect(
      stage.said.contains {
        $0.hasSuffix(
          kind.isFile ? "the log has another place in the file now" : "another log has come in its place")
      })
  }

  @Test mutating func `a list that is being changed isn't walked before it is finished`() throws {
    let server = try Server30(directory: stage.logPath)
    server.beginChange()
    var follower = try stage.follower([stage.file("all")])
    for _ in 0..<5 {
      guard case .absent(let reason) = try follower.step() else {
        Issue.record("the list is being changed")
        return
      }
      #expect(reason.contains("_.vsm: its server is changing it"))
    }
    write(9, to: server)
    server.endChange()
    try follower.attach()
    // A change of the list during reading makes no difference, however long it takes.
    server.beginChange()
    for _ in 0..<5 {
      write(60, to: server)
      try follower.catchUp()
      stage.clock.advance(nanoseconds: 2_000_000_000)
    }
    server.endChange()
    try expectAll(&follower)
  }

  @Test(arguments: Kind.allCases.filter { $0.type.canBeTakenOver })
  mutating func `another process that takes the file over goes on with the log where it was`(kind: Kind)
    throws
  {
    let server = try start(kind)
    var follower = try stage.follower([stage.file("all")])
    try follower.attach()
    for _ in 0..<10 {
      write(40, to: server)
      try follower.catchUp()
      server.takeOver()
      write(3, to: server)
      _ = try within(second: &follower) { if case .restarted = $0 { true } else { false } }
    }
    try expectAll(&follower)
    #expect(
      stage.said.filter { $0.hasSuffix("another process writes the log now, which goes on") }.count == 10)
  }

  @Test mutating func `a process that begins the file's log anew is followed to its front`() throws {
    let server = try Server21(directory: stage.logPath)
    var follower = try stage.follower([stage.file("all")])
    try follower.attach()
    for _ in 0..<5 {
      write(400, to: server, follower: &follower)
      server.takeOverAnew()
      _ = try within(second: &follower) { if case .restarted = $0 { true } else { false } }
      write(30, to: server, follower: &follower)
    }
    try expectAll(&follower)
  }

  /// Logs requests, and has the run read them meanwhile.
  private mutating func write(_ count: Int, to server: any PlayedServer, follower: inout Follower) {
    for _ in 0..<count / 10 {
      write(10, to: server)
      _ = try? follower.step()
    }
    _ = try? follower.catchUp()
  }

  @Test(arguments: Kind.allCases)
  mutating func `what was overwritten before it was read is counted, and reading goes on`(kind: Kind) throws {
    let server = try start(kind)
    var follower = try stage.follower([stage.file("all")])
    try follower.attach()
    write(20, to: server)
    try follower.catchUp()
    write(3000, to: server)
    _ = try follower.step {
      switch $0 {
      case .overrun: true
      // Without a count of turns, the only sign of an overrun may be that no record begins at the reader's
      // place.
      case .damaged: kind == .v20
      default: false
      }
    }
    try follower.catchUp()
    write(5, to: server)
    try follower.catchUp()
    #expect(follower.end() == (kind == .v20 ? .complete : .incomplete))
    let lines = try stage.lines("all")
    #expect(Array(lines.prefix(20)) == Array(paths.prefix(20)))
    #expect(Array(lines.suffix(5)) == Array(paths.suffix(5)))
    let numbers = lines.compactMap { Int($0.dropFirst()) }
    #expect(numbers.count == lines.count && zip(numbers, numbers.dropFirst()).allSatisfy(<))
    let account = follower.finalAccounts()[0]
    #expect(account.written == lines.count)
    if kind == .v20 {
      #expect(stage.said.contains { $0.contains("no record of Varnish 2.0") })
    } else {
      #expect(account.lostBytes > 0)
    }
  }

  @Test(arguments: [Kind.v40, .v41])
  mutating func `a file without a name stays the log as long as its age grows`(kind: Kind) throws {
    let server = try start(kind)
    server.tick()
    var follower = try stage.follower([stage.file("all")])
    try follower.attach()
    write(10, to: server)
    try follower.catchUp()
    unlink(stage.logPath + "/_.vsm")
    for _ in 0..<10 {
      server.tick()
      stage.clock.advance(nanoseconds: 1_000_000_000)
      write(2, to: server)
      guard case .read = try follower.step() else {
        Issue.record("the log is written")
        return
      }
    }
    stage.clock.advance(nanoseconds: 2_000_000_000)
    _ = try within(second: &follower) { if case .lost = $0 { true } else { false } }
    try expectDelivered(&follower)
  }

  @Test mutating func `a server whose age stands still is said to have ended, once`() throws {
    let server = try start(.v41)
    var follower = try stage.follower([stage.file("all")])
    try follower.attach()
    for _ in 0..<4 {
      server.tick()
      stage.clock.advance(nanoseconds: 1_000_000_000)
      try follower.catchUp()
    }
    stage.clock.advance(nanoseconds: 2_000_000_000)
    _ = try within(second: &follower) { if case .orphaned = $0 { true } else { false } }
    for _ in 0..<100 {
      if case .orphaned = try follower.step() { Issue.record("that was said") }
    }
    write(3, to: server)
    try expectAll(&follower)
  }

  @Test(arguments: [Kind.v40, .v41])
  mutating func `a file that grows younger is another log`(kind: Kind) throws {
    let server = try start(kind)
    let chunks = (server as? Server40)?.chunks ?? (server as? Server41)?.chunks
    chunks?.setAge(100)
    var follower = try stage.follower([stage.file("all")])
    try follower.attach()
    try follower.catchUp()
    chunks?.setAge(1)
    _ = try within(second: &follower) { if case .lost = $0 { true } else { false } }
    _ = follower.end()
  }
}
