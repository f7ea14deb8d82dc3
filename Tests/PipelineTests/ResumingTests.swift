@testable import Pipeline
import Glibc
import LogWriting
import Platform
import TestSupport
import Testing
import VarnishLog

/// A transaction of which only a part is in the log.
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

/// A run that ends, and another that resumes from its checkpoint.
struct ResumingTests {
  private let stage: Stage

  init() throws { stage = try Stage() }

  /// Begins a run, has it do something, and ends it.
  @discardableResult
  private func run(
    _ outputs: [OutputConfiguration], _ body: (inout Follower) throws -> Void = { _ in }
  ) throws -> (outcome: RunOutcome, accounts: [Ledger]) {
    var follower = try stage.resumingFollower(outputs)
    try follower.attach()
    try follower.catchUp()
    try body(&follower)
    let outcome = follower.end()
    return (outcome, follower.finalAccounts())
  }

  @Test func `what is written between two runs is delivered, once and in order`() throws {
    for _ in 0..<10 {
      let end = try run([stage.appended("all"), stage.appended("other")]) { follower in
        try stage.write(7)
        try follower.catchUp()
      }
      #expect(end.outcome == .complete)
      try stage.write(5)
    }
    try run([stage.appended("all"), stage.appended("other")])
    #expect(try stage.lines("all") == stage.written)
    #expect(try stage.lines("other") == stage.written)
  }

  @Test func `what is begun in one run and ended in another is delivered once`() throws {
    let writer = try #require(stage.writer)
    var expected: [String] = []
    var open: [OpenTransaction] = []
    for round in 0..<10 {
      try run([stage.appended("all")]) { follower in
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
        // A transaction of an earlier round, and one of this round.
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
    try run([stage.appended("all")]) { follower in
      try stage.write(10)
      try follower.catchUp()
    }
    try stage.write(2000)
    let end = try run([stage.appended("all")]) { follower in
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
    try run([stage.appended("all")]) { follower in
      try stage.write(10)
      try follower.catchUp()
    }
    try stage.restartWriter()
    try stage.write(20)
    for _ in 0..<2 { try run([stage.appended("all")]) }
    #expect(try stage.lines("all") == stage.written)
    #expect(stage.said.filter { $0.contains("another log was read before") }.count == 1, "\(stage.said)")
  }

  @Test func `an output that is new begins where the run goes on`() throws {
    try run([stage.appended("all")]) { follower in
      try stage.write(10)
      try follower.catchUp()
    }
    try stage.write(3)
    try run([stage.appended("all"), stage.appended("new")])
    #expect(try stage.lines("all") == stage.written)
    #expect(try stage.lines("new") == Array(stage.written.suffix(3)))
  }

  /// With a damaged byte, the run uses the older copy, or says that the state isn't fully known.
  @Test func `a checkpoint with a damaged byte doubles nothing in silence`() throws {
    let outputs = [stage.appended("all"), stage.appended("other")]
    // Each part is noted more than once, so that both of its copies are in use.
    for _ in 0..<3 {
      try run(outputs) { follower in
        try stage.write(2)
        try follower.catchUp()
      }
    }
    try stage.write(3)
    let whole = try readFile(stage.checkpoint)
    let (all, other) = (
      try readFile(stage.directory.file("all")), try readFile(stage.directory.file("other"))
    )
    // Each byte that isn't zero, and a few of the rest.
    let offsets = whole.indices.filter { whole[$0] != 0 } + stride(from: 1000, to: whole.count, by: 100_003)
    var exactCount = 0
    for (number, offset) in offsets.enumerated() where number % 3 == 0 {
      var damaged = whole
      damaged[offset] ^= UInt8(1 << (number % 8))
      // In place, because files are recognised by their identities.
      try overwrite(stage.checkpoint, damaged)
      try overwrite(stage.directory.file("all"), all)
      try overwrite(stage.directory.file("other"), other)
      let saidBefore = stage.said.count
      try run(outputs)
      let lines = [try stage.lines("all"), try stage.lines("other")]
      let isExact = lines.allSatisfy { $0 == stage.written }
      let complaints = stage.said.dropFirst(saidBefore).filter { $0.contains(stage.checkpoint) }
      #expect(isExact || !complaints.isEmpty, "byte \(offset): \(lines) \(stage.said.suffix(4))")
      if isExact { exactCount += 1 }
    }
    #expect(exactCount * 2 > offsets.count / 3, "mostly another copy tells")
  }

  private func overwrite(_ path: String, _ bytes: [UInt8]) throws {
    let descriptor = open(path, O_WRONLY)
    defer { close(descriptor) }
    try #require(ftruncate(descriptor, 0) == 0)
    try #require(bytes.withUnsafeBytes { pwrite(descriptor, $0.baseAddress, $0.count, 0) } == bytes.count)
  }
}
