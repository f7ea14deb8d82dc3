import Glibc
import Platform
import Shipping
import Spool

extension RunStatus {
  /// The status as one JSON document, in one line.
  func json(at now: Moment) -> [UInt8] {
    let document = JSONText.object([
      ("version", .text(version)),
      ("pid", .whole(Int(getpid()))),
      ("uptime_seconds", .number(Double(now.steadyNanoseconds - start.steadyNanoseconds) / 1e9)),
      ("sandbox", sandbox.map { .text($0) } ?? .null),
      ("log", logJSON),
      ("outputs", .array(outputs.map(\.json))),
    ])
    return document.bytes + [UInt8(ascii: "\n")]
  }

  private var logJSON: JSONText {
    .object([
      ("path", .text(log.path)),
      ("state", .text(log.state.rawValue)),
      ("read_bytes", .whole(readBytes)),
      ("lost_bytes", .whole(lostBytes)),
      ("lag_bytes", .whole(log.ring?.lagBytes)),
      ("lag_seconds", .number(lagSeconds)),
      ("written_bytes_per_second", .number(writtenBytesPerSecond)),
      ("ring_bytes", .whole(log.ring?.byteCount)),
      ("ring_seconds", .number(ringSeconds)),
    ])
  }
}

extension RunStatus.Output {
  fileprivate var json: JSONText {
    .object([
      ("name", .text(name)),
      ("state", .text(state.rawValue)),
      ("failure", failure.map { .text($0) } ?? .null),
      ("entries_per_second", .number(entriesPerSecond)),
      ("last_entry", lastEntrySeconds.map { .text(UTCTime.text($0)) } ?? .null),
      (
        "spool",
        .object([
          ("entries", .whole(spool.waiting.records)),
          ("bytes", .whole(spool.waiting.bytes)),
          ("memory_bytes", .whole(spool.memoryBytes)),
          ("memory_bytes_max", .whole(memoryBytesMax)),
          ("disk_bytes", .whole(spool.diskBytes)),
          ("disk_bytes_max", .whole(diskBytesMax)),
        ])
      ),
      ("account", accountJSON),
    ])
  }

  private var accountJSON: JSONText {
    .object([
      ("seen", .whole(account.seen)), ("written", .whole(account.written)),
      ("filtered", .whole(account.filtered)), ("dropped", .whole(account.dropped)),
      ("lost", .whole(account.lost)), ("lost_bytes", .whole(account.lostBytes)),
      ("inherited", .whole(account.inherited)), ("kept", .whole(account.kept)),
      ("queued", .whole(account.queued)), ("unconfirmed", .whole(account.unconfirmed)),
      ("incomplete_by_limit", .whole(account.incompleteByLimit)),
      ("incomplete_by_timeout", .whole(account.incompleteByTimeout)),
      ("causes", .object(Ledger.Cause.allCases.map { ($0.rawValue, .whole(account[$0])) })),
    ])
  }
}

/// Times for programs and for people far from here.
enum UTCTime {
  /// As in `2026-11-28T18:00:00Z`.
  static func text(_ secondsSince1970: Int64) -> String {
    var time = time_t(secondsSince1970)
    var fields = tm()
    guard gmtime_r(&time, &fields) != nil else { return "" }
    var buffer = [CChar](repeating: 0, count: 64)
    let count = strftime(&buffer, buffer.count, "%Y-%m-%dT%H:%M:%SZ", &fields)
    return String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}
