@testable import Pipeline
import Checkpoints
import LogWriting
import Platform
import Shipping
import TestSupport
import Testing
import VarnishLog

/// A transaction of which a part is in the log.
private final class OpenTransaction {
  private var transaction: LogTransaction
  let path: String

  init(_ transaction: consuming LogTransaction, _ path: String) {
    self.transaction = transaction
    self.path = path
  }

  func end() {
    transaction.add(.respStatus, "200")
    transaction.add(.end, "")
    _ = transaction.commit()
  }
}

/// A run that ends, and another that goes on with its checkpoint.
struct ResumingTests {
  private let stage: Stage

  init() throws { stage = try Stage() }

  private var checkpoint: String { stage.directory.file("checkpoint") }

  private func appended(_ name: String) -> OutputConfiguration {
    var options = FileOptions(path: stage.directory.file(name))
    options.appends = true
    return stage.output(.file(options))
  }

  /// Has a run begin, do something, and end.
  @discardableResult
  private func run(
    _ outputs: [OutputConfiguration], _ body: (inout Follower) throws -> Void = { _ in }
  ) throws -> (outcome: RunOutcome, accounts: [Ledger]) {
    var follower = try stage.follower(outputs) { $0.process.resume = checkpoint }
    try follower.attach()
    try follower.catchUp()
    try body(&follower)
    let outcome = follower.end()
    return (outcome, follower.finalAccounts())
  }

  @Test func `what is written between two runs is delivered, once and in order`() throws {
    for _ in 0..<10 {
      let end = try run([appended("all"), appended("other")]) { follower in
        try stage.write(7)
        try follower.catchUp()
      }
      #expect(end.outcome == .complete)
      try stage.write(5)
    }
    try run([appended("all"), appended("other")])
    #expect(try stage.lines("all") == stage.written)
    #expect(try stage.lines("other") == stage.written)
  }

  @Test func `what is begun in one run and ended in another is delivered once`() throws {
    let writer = try #require(stage.writer)
    var expected: [String] = []
    var open: [OpenTransaction] = []
    for round in 0..<10 {
      try run([appended("all")]) { follower in
        for index in 0..<3 {
          var transaction = writer.transaction(writer.nextVXID(), .client)
          transaction.add(.begin, "req 0 rxreq")
          transaction.add(.reqMethod, "GET")
          let path = "/open/\(round)/\(index)"
          transaction.add(.reqURL, path)
          transaction.flush()
          open.append(OpenTransaction(transaction, path))
        }
        try stage.write(4)
        try follower.catchUp()
        expected += stage.written.suffix(4)
        // One of an earlier round, and one of this one.
        for index in [0, open.count - 2] {
          let transaction = open.remove(at: index)
          transaction.end()
          expected.append(transaction.path)
        }
        try follower.catchUp()
      }
    }
    #expect(try stage.lines("all") == expected)
  }

  @Test func `what was overwritten between two runs is said with its bytes`() throws {
    try run([appended("all")]) { follower in
      try stage.write(10)
      try follower.catchUp()
    }
    try stage.write(2000)
    let end = try run([appended("all")]) { follower in
      try stage.write(5)
      try follower.catchUp()
    }
    #expect(end.outcome == .incomplete)
    let lines = try stage.lines("all")
    #expect(Array(lines.prefix(10)) == Array(stage.written.prefix(10)))
    let rest = Array(lines.dropFirst(10))
    #expect(rest == Array(stage.written.suffix(rest.count)))
    let account = end.accounts[0]
    #expect(account.lostBytes > 0)
    let missing = stage.written.count - lines.count
    #expect(abs(account.lost - missing) <= missing / 4, "\(account.lost) \(missing)")
    let said = stage.said.filter { $0.contains("\(account.lostBytes) bytes of the log") }
    #expect(said.count == 1, "\(stage.said)")
  }

  @Test func `another log is read from its beginning`() throws {
    try run([appended("all")]) { follower in
      try stage.write(10)
      try follower.catchUp()
    }
    try stage.restartWriter()
    try stage.write(20)
    for _ in 0..<2 { try run([appended("all")]) }
    #expect(try stage.lines("all") == stage.written)
    #expect(stage.said.filter { $0.contains("another log was read before") }.count == 1, "\(stage.said)")
  }

  @Test func `an output that is new begins where the run goes on`() throws {
    try run([appended("all")]) { follower in
      try stage.write(10)
      try follower.catchUp()
    }
    try stage.write(3)
    try run([appended("all"), appended("new")])
    #expect(try stage.lines("all") == stage.written)
    #expect(try stage.lines("new") == Array(stage.written.suffix(3)))
  }
}
