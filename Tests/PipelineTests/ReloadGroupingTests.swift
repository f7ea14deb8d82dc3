import LogWriting
@testable import Pipeline
import Shipping
import TestSupport
import Testing
import Transactions
import VarnishLog

/// Transactions that are in progress when the configuration is reloaded.
struct ReloadGroupingTests {
  private let stage: Stage

  init() throws { stage = try Stage() }

  private func expectGroupers(_ count: Int, _ follower: borrowing Follower) throws {
    let present = follower.grouperCount
    #expect(present == count)
  }

  /// Begins a transaction, and returns a closure that finishes it.
  private func beginTransaction() throws -> () -> Void {
    let writer = try #require(stage.writer)
    let vxid = writer.nextVXID()
    var start = writer.transaction(vxid, .client)
    start.add(.begin, "req 0 rxreq")
    start.add(.reqMethod, "PUT")
    start.add(.reqURL, "/long")
    start.add(.reqHeader, "X-One: one")
    start.add(.reqHeader, "X-Two: two")
    start.flush()
    return {
      var rest = writer.transaction(vxid, .client)
      rest.add(.respStatus, "201")
      rest.add(.end, "")
      rest.commit()
    }
  }

  @Test func `what is under way goes to the output that takes its place, whole if its records were kept`()
    throws
  {
    var follower = try stage.follower(
      [stage.named("file", format: "%U %s"), stage.named("all", format: "%U")], reloads: true)
    try follower.attach()
    let finish = try beginTransaction()
    try follower.catchUp()
    try stage.reload(&follower, [stage.named("file", format: "%s %U"), stage.named("all", format: "%U")])
    finish()
    try stage.write(1)
    try follower.catchUp()
    let outcome = follower.end()
    #expect(outcome == .complete)
    #expect(try stage.lines("file") == ["201 /long", "500 /0"])
    #expect(try stage.lines("all") == ["/long", "/0"])
    let accounts = follower.finalAccounts()
    #expect(accounts[0].incompleteByReload == 0)
  }

  @Test func `what lacks records that are asked for anew is counted, and isn't a new output's`() throws {
    var follower = try stage.follower([stage.named("file")], reloads: true)
    try follower.attach()
    let finish = try beginTransaction()
    try follower.catchUp()
    try stage.reload(
      &follower, [stage.named("file", format: "%m %U"), stage.named("comes", format: "%m %U")])
    try expectGroupers(1, follower)
    finish()
    try stage.write(1)
    try follower.catchUp()
    let outcome = follower.end()
    #expect(outcome == .complete)
    #expect(try stage.lines("file") == ["- /long", "GET /0"])
    #expect(try stage.lines("comes") == ["GET /0"])
    let accounts = follower.finalAccounts()
    #expect(accounts[0].incompleteByReload == 1 && accounts[0].description.hasPrefix("seen=2 written=2 "))
    #expect(accounts[1].incompleteByReload == 0 && accounts[1][.unwanted] == 1)
  }

  @Test func `another header than those that were kept counts as lacking`() throws {
    var follower = try stage.follower([stage.named("file", format: "%{X-One}i %U")], reloads: true)
    try follower.attach()
    let finish = try beginTransaction()
    try follower.catchUp()
    try stage.reload(&follower, [stage.named("file", format: "%{X-Two}i %U")])
    finish()
    try follower.catchUp()
    let outcome = follower.end()
    #expect(outcome == .complete)
    #expect(try stage.lines("file") == ["- /long"])
    let accounts = follower.finalAccounts()
    #expect(accounts[0].incompleteByReload == 1)
  }

  @Test func `what is kept for nobody is there for an output that asks for it again`() throws {
    let both = stage.named("file", format: "%m %{X-One}i %U")
    var follower = try stage.follower([both], reloads: true)
    try follower.attach()
    try stage.reload(&follower, [stage.named("file", format: "%U")])
    let finish = try beginTransaction()
    try follower.catchUp()
    try stage.reload(&follower, [both])
    finish()
    try follower.catchUp()
    let outcome = follower.end()
    #expect(outcome == .complete)
    #expect(try stage.lines("file") == ["PUT one /long"])
    let accounts = follower.finalAccounts()
    #expect(accounts[0].incompleteByReload == 0)
  }

  @Test func `another grouping begins at the reload, and a grouper without outputs is let go of`() throws {
    func output(_ grouping: OutputConfiguration) -> OutputConfiguration {
      var output = grouping
      output.grouping = .request
      return output
    }
    var follower = try stage.follower([stage.named("file"), stage.named("stays")], reloads: true)
    try follower.attach()
    let finish = try beginTransaction()
    try follower.catchUp()
    try stage.reload(&follower, [output(stage.named("file")), stage.named("stays")])
    try expectGroupers(2, follower)
    finish()
    try stage.write(3)
    try follower.catchUp()
    try stage.reload(&follower, [output(stage.named("file"))])
    try expectGroupers(1, follower)
    try stage.write(2)
    try follower.catchUp()
    let outcome = follower.end()
    #expect(outcome == .complete)
    #expect(try stage.lines("stays") == ["/long", "/0", "/1", "/2"])
    // The transaction that had begun before is in neither file, which is said.
    #expect(try stage.lines("file") == stage.written)
    #expect(
      stage.said.contains(
        "file: 1 transactions were under way when its grouping changed, and are left out"))
    let accounts = follower.finalAccounts()
    #expect(accounts[0].description == "seen=5 written=5 filtered=0 dropped=0 lost=0")
  }

  @Test func `what a grouper had sorted out before isn't counted by outputs that come later`() throws {
    var backend = stage.named("comes")
    (backend.client, backend.backend) = (true, false)
    var follower = try stage.follower([stage.named("stays")], reloads: true)
    try follower.attach()
    let writer = try #require(stage.writer)
    func writeFetch() {
      var fetch = writer.transaction(writer.nextVXID(), .backend)
      fetch.add(.begin, "bereq 0 fetch")
      fetch.add(.end, "")
      fetch.commit()
    }
    for _ in 0..<5 { writeFetch() }
    try follower.catchUp()
    try stage.reload(&follower, [stage.named("stays"), backend])
    try expectGroupers(1, follower)
    for _ in 0..<2 { writeFetch() }
    try stage.write(1)
    try follower.catchUp()
    let outcome = follower.end()
    #expect(outcome == .complete)
    let accounts = follower.finalAccounts()
    #expect(accounts[0][.unwanted] == 7 && accounts[1][.unwanted] == 2)
  }
}
