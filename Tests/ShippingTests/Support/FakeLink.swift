@testable import Platform
@testable import Shipping
@testable import Spool

/// A link to a consumer whose behaviour a test controls.
final class FakeLink: Link {
  let name = "fake"
  var wakeDescriptor: Int32? = 0
  var condition = LinkCondition.absent

  /// The result of each further attempt to get a consumer.
  var onBegin = LinkCondition.open(7)
  var beginnings = 0
  /// How many bytes the consumer has room for.
  var room = Int.max
  /// The bytes that the consumer was sent since it came, and how many of these it has left unread.
  var received: [UInt8] = []
  var unread = 0
  var isFinished = false
  var pieces = Int.max
  /// The form of what it is sent, and how many accepted bytes it may lose.
  var form = EntryForm.line
  var doubtfulByteCountMax = 0
  /// Each message that it was sent, and the maximum size of one.
  var sent: [String] = []
  var messageMax = Int.max

  var text: String { String(decoding: received, as: UTF8.self) }

  func begin(at now: Moment) -> LinkCondition {
    beginnings += 1
    condition = onBegin
    received = []
    unread = 0
    return condition
  }

  func condition(at now: Moment) -> LinkCondition { condition }

  func send(_ bytes: UnsafeRawBufferPointer, at now: Moment) -> LinkProgress {
    guard case .open = condition else { return .broken }
    guard bytes.count <= messageMax else { return .tooLarge }
    let count = min(room, bytes.count)
    sent.append(String(decoding: bytes.prefix(count), as: UTF8.self))
    received += bytes.prefix(count)
    room -= room == .max ? 0 : count
    return .sent(count)
  }

  func unreadByteCount() -> Int { unread }
  func pieceByteCount(unread: Int) -> Int { pieces }
  func finish(at now: Moment) { isFinished = true }
  func release() { condition = .absent }

  func end(_ reason: String, isFailure: Bool = false, isAbrupt: Bool = false, unread: Int = 0) {
    condition = .ended(LinkEnd(reason: reason, isFailure: isFailure, isAbrupt: isAbrupt))
    self.unread = unread
  }
}

/// The entries of a spool, for a sink that the test calls itself.
final class Offer {
  private let spool: Spool
  private var writer: SpoolWriter
  private var reader: SpoolReader

  init() throws {
    spool = try Spool()
    writer = spool.makeWriter()
    reader = spool.makeReader()
  }

  func add(_ lines: [String]) {
    for line in lines { writer.append(line) }
    writer.publish()
  }

  /// Offers the available entries once, as the output's thread does.
  @discardableResult
  func offer(to sink: some Sink, at now: Moment) throws -> SinkProgress? {
    _ = try sink.tick(at: now)
    guard let batch = try reader.next() else { return nil }
    let progress = try sink.write(batch, at: now)
    reader.take(progress.byteCount)
    return progress
  }
}
