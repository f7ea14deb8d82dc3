import LogWriting
import TestSupport
import VarnishLog

/// A log whose writer remembers which lines it must lead to.
final class SimulatedLog {
  /// A request, which leads to a line.
  struct Request {
    /// The number of the writer that has logged it.
    let writer: Int
    /// Whether it was logged in one piece, so that its line has a fixed place among the lines of all such
    /// requests.
    let isWhole: Bool
    /// Whether it ended before the writer did.
    var hasEnded: Bool
    let filler: Int
  }

  private struct Open: ~Copyable {
    let request: Int
    var transaction: LogTransaction
  }

  private final class OpenBox {
    var open: Open
    init(_ open: consuming Open) { self.open = open }
  }

  let path: String
  private let byteCount: Int
  /// Whether limits are so high that a request and its fetch always form a single group.
  private let keepsGroups: Bool
  private var writer: LogWriter?
  private var open: [OpenBox] = []
  private(set) var requests: [Request] = []
  /// How many writers there were before the present one.
  private(set) var writerNumber = 0
  /// The writers whose logs have had a reader.
  var attached: Set<Int> = []

  init(_ path: String, byteCount: Int, keepsGroups: Bool) throws {
    self.keepsGroups = keepsGroups
    self.path = path
    self.byteCount = byteCount
    try startWriter()
  }

  private func startWriter() throws {
    var options = LogWriterOptions(.indexed(.v41))
    options.logByteCount = byteCount
    options.batchByteCount = 4 << 10
    options.textByteCountMax = 1000
    writer = try LogWriter(directory: path, options: options)
  }

  func restart() throws {
    // The log of a writer that never had a reader is lost without a trace.
    guard attached.contains(writerNumber) else { return }
    open.removeAll()
    writer?.close()
    writer = nil
    try startWriter()
    writerNumber += 1
  }

  private func add(isWhole: Bool) -> (number: Int, url: String) {
    let number = requests.count
    let filler = number &* 7919 % 211
    requests.append(Request(writer: writerNumber, isWhole: isWhole, hasEnded: true, filler: filler))
    return (number, Self.url(number, filler))
  }

  static func url(_ number: Int, _ filler: Int) -> String {
    "/\(number)/" + String(repeating: "x", count: filler)
  }

  func write(_ count: Int) {
    guard let writer else { return }
    for _ in 0..<count {
      let (_, url) = add(isWhole: true)
      var transaction = writer.transaction(writer.nextVXID(), .client)
      Self.begin(&transaction, url)
      Self.end(&transaction)
    }
  }

  /// Logs more than the log holds.
  func flood() {
    let start = writer?.statistics.bytes ?? 0
    while let writer, writer.statistics.bytes - start < byteCount + byteCount / 4 { write(20) }
  }

  /// Logs a request, its fetch, and an ESI fragment, each in one piece.
  func writeGroup() {
    guard let writer else { return }
    let (_, url) = add(isWhole: keepsGroups)
    let (root, fetch, part) = (writer.nextVXID(), writer.nextVXID(), writer.nextVXID())
    var backend = writer.transaction(fetch, .backend)
    backend.add(.begin, "bereq \(root) fetch")
    backend.add(.bereqURL, url)
    backend.add(.end, "")
    _ = backend.commit()
    var fragment = writer.transaction(part, .client)
    fragment.add(.begin, "req \(root) esi 1")
    fragment.add(.reqURL, "/fragment")
    fragment.add(.end, "")
    _ = fragment.commit()
    var transaction = writer.transaction(root, .client)
    Self.begin(&transaction, url)
    transaction.add(.link, "bereq \(fetch) fetch")
    transaction.add(.link, "req \(part) esi 1")
    Self.end(&transaction)
  }

  /// Begins a request; if it has a fetch, the request ends and the fetch goes on.
  func begin(fetches: Bool) {
    guard let writer else { return }
    let (number, url) = add(isWhole: false)
    requests[number].hasEnded = false
    var transaction = writer.transaction(writer.nextVXID(), .client)
    Self.begin(&transaction, url)
    if fetches {
      let fetch = writer.nextVXID()
      transaction.add(.link, "bereq \(fetch) bgfetch")
      let root = transaction.vxid
      Self.end(&transaction)
      transaction = writer.transaction(fetch, .backend)
      transaction.add(.begin, "bereq \(root) bgfetch")
      transaction.add(.bereqURL, url)
    }
    transaction.flush()
    open.append(OpenBox(Open(request: number, transaction: transaction)))
  }

  func end(_ index: Int) {
    guard !open.isEmpty else { return }
    let box = open.remove(at: index % open.count)
    Self.end(&box.open.transaction)
    requests[box.open.request].hasEnded = true
  }

  func endAll() {
    while !open.isEmpty { end(0) }
  }

  private static func begin(_ transaction: inout LogTransaction, _ url: String) {
    transaction.add(.begin, "req 0 rxreq")
    transaction.add(.reqMethod, "GET")
    transaction.add(.reqURL, url)
  }

  private static func end(_ transaction: inout LogTransaction) {
    transaction.add(.respStatus, "200")
    transaction.add(.end, "")
    _ = transaction.commit()
  }
}
