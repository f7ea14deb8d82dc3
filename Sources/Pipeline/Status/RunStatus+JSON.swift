import Glibc
import Platform
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
      (
        "ended_outputs",
        .object([("count", .whole(ended.count)), ("account", .object(ended.account.members))])
      ),
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
          ("entries", .whole(spool?.waiting.entries)),
          ("bytes", .whole(spool?.waiting.bytes)),
          ("memory_bytes", .whole(spool?.memoryBytes)),
          ("memory_bytes_max", .whole(memoryBytesMax)),
          ("disk_bytes", .whole(spool?.diskBytes)),
          ("disk_bytes_max", .whole(diskBytesMax)),
        ])
      ),
      ("account", .object(account.members)),
    ])
  }
}
