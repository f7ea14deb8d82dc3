import Glibc

/// Sends a planned load to a `VarnishInstance` over pipelined keep-alive connections.
///
/// Each answer is checked to be the one to its request. A connection that is lost because the worker restarts
/// is opened again and goes on with the next numbers; no request is repeated.
public final class LoadClient: Sendable {
  private struct Progress: Sendable {
    var fates: [LoadReport.Fate]
    var next = 0
    var answered = 0
    var lostConnections = 0
    var threads: Int
    var failure: SupportError?
    var finished: ContinuousClock.Instant?
  }

  private let plan: LoadPlan
  private let started = ContinuousClock.now
  private let progress: Monitor<Progress>

  /// Begins the load on threads of its own.
  public init(_ plan: LoadPlan) {
    self.plan = plan
    progress = Monitor(
      Progress(
        fates: Array(repeating: .unsent, count: plan.count), threads: plan.connections))
    for _ in 0..<plan.connections {
      detachThread { [self] in
        let failure: SupportError?
        do throws(SupportError) {
          try work()
          failure = nil
        } catch {
          failure = error
        }
        progress.withLock { progress in
          progress.failure = progress.failure ?? failure
          progress.threads -= 1
          progress.finished = ContinuousClock.now
        }
      }
    }
  }

  /// Waits until `count` requests have been answered, for a test that then interferes.
  public func waitUntilAnswered(_ count: Int, by deadline: Deadline) throws(SupportError) {
    let reached = progress.wait(until: deadline) { progress in
      progress.answered >= count || progress.threads == 0 ? progress.answered : nil
    }
    guard let reached, reached >= count else {
      throw SupportError("only \(reached ?? 0) of \(count) requests were answered in time")
    }
  }

  /// Waits for the end of the load.
  ///
  /// - Throws: If an answer was wrong, the server couldn't be reached for too long, or `deadline` passed.
  public func wait(by deadline: Deadline) throws(SupportError) -> LoadReport {
    let ended = progress.wait(until: deadline) { $0.threads == 0 ? $0 : nil }
    guard let ended else { throw SupportError("the load has not ended in time") }
    if let failure = ended.failure { throw failure }
    return LoadReport(
      plan: plan, fates: ended.fates, elapsed: (ended.finished ?? started) - started,
      lostConnections: ended.lostConnections)
  }

  /// Sends the plan's load and waits for its end.
  public static func run(
    _ plan: LoadPlan, limit: Duration = .seconds(60)
  ) throws(SupportError) -> LoadReport {
    try LoadClient(plan).wait(by: .after(limit))
  }

  // MARK: - A connection's thread

  private func work() throws(SupportError) {
    while progress.withLock({ $0.next < plan.count && $0.failure == nil }) {
      let connection = try connect()
      try serve(over: connection)
    }
  }

  private func connect() throws(SupportError) -> Connection {
    let deadline = Deadline.after(plan.patience)
    while true {
      do throws(SupportError) {
        return try Connection(port: plan.port)
      } catch {
        // No event announces that a port is open again.
        if deadline.hasPassed { throw error }
        Deadline.after(.milliseconds(10)).sleep()
      }
    }
  }

  /// Sends batches until the plan is done or the connection is lost.
  private func serve(over connection: borrowing Connection) throws(SupportError) {
    // The first request goes alone: if a dying server accepts the connection, only one number is lost.
    var depth = 1
    var previous: Int?
    while let batch = takeBatch(of: depth) {
      depth = plan.depth
      pace(batch.lowerBound)
      let answered = try exchange(batch, over: connection)
      record(batch, answered: answered, previous: previous)
      if answered < batch.count { return }
      previous = batch.upperBound - 1
    }
  }

  private func takeBatch(of depth: Int) -> Range<Int>? {
    progress.withLock { progress in
      guard progress.next < plan.count, progress.failure == nil else { return nil }
      let end = min(plan.count, progress.next + depth)
      defer { progress.next = end }
      return progress.next..<end
    }
  }

  private func pace(_ number: Int) {
    guard let rate = plan.ratePerSecond else { return }
    let due = started + .nanoseconds(Int64(number) * 1_000_000_000 / Int64(rate))
    Deadline.after(due - ContinuousClock.now).sleep()
  }

  /// Sends a batch and reads its answers; returns how many there were before the connection was
  /// lost.
  private func exchange(
    _ batch: Range<Int>, over connection: borrowing Connection
  ) throws(SupportError) -> Int {
    var requests: [UInt8] = []
    for number in batch {
      requests += "GET \(plan.path(number)) HTTP/1.1\r\nHost: load\r\n\r\n".utf8
    }
    guard connection.send(requests) else { return 0 }
    var answers: [UInt8] = []
    var start = 0
    for number in batch {
      var end = find("\r\n\r\n", in: answers, from: start)
      while end == nil {
        let searched = max(start, answers.count - 3)
        guard connection.receive(into: &answers) else { return number - batch.lowerBound }
        end = find("\r\n\r\n", in: answers, from: searched)
      }
      guard let end else { break }
      try check(answers[start..<(end + 2)], isAnswerTo: number)
      start = end + 4
    }
    return batch.count
  }

  private func check(
    _ head: ArraySlice<UInt8>, isAnswerTo number: Int
  ) throws(SupportError) {
    let path = plan.path(number)
    let isRight =
      head.starts(with: "HTTP/1.1 200 ".utf8)
      && find("\r\nX-Url: \(path)\r\n", in: Array(head), from: 0) != nil
    guard isRight else {
      throw SupportError("wrong answer to \(path): \(String(decoding: head, as: UTF8.self))")
    }
  }

  /// Records the fates of a batch's requests after the exchange.
  ///
  /// The server sends an answer before it writes the log records, so the last answer of a connection that was
  /// lost doesn't prove that its request was logged. Every earlier answer is proven by the one after it: a
  /// connection's requests are served one by one.
  private func record(_ batch: Range<Int>, answered: Int, previous: Int?) {
    progress.withLock { progress in
      for number in batch {
        let isAnswered = number - batch.lowerBound < answered
        progress.fates[number] = isAnswered ? .answered : .uncertain
      }
      progress.answered += answered
      guard answered < batch.count else { return }
      progress.lostConnections += 1
      let last = answered > 0 ? batch.lowerBound + answered - 1 : previous
      if let last { progress.fates[last] = .uncertain }
    }
  }
}

/// The offset of the first occurrence of `text` at or after `start`.
private func find(_ text: String, in bytes: [UInt8], from start: Int) -> Int? {
  let needle = Array(text.utf8)
  return bytes.withUnsafeBytes { buffer -> Int? in
    guard let base = buffer.baseAddress, let first = needle.first else { return nil }
    var offset = start
    // `memchr` and `memcmp` keep this cheap in a debug build too.
    while offset + needle.count <= buffer.count,
      let hit = memchr(base + offset, Int32(first), buffer.count - offset - needle.count + 1)
    {
      offset = base.distance(to: UnsafeRawPointer(hit))
      if memcmp(base + offset, needle, needle.count) == 0 { return offset }
      offset += 1
    }
    return nil
  }
}
