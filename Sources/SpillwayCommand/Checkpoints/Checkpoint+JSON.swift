import Checkpoints
import Platform
import Spool
import VarnishLog

extension Checkpoint {
  /// The checkpoint as one JSON document, in one line.
  ///
  /// - Parameters:
  ///   - path: the file from which the checkpoint was read.
  ///   - damage: what is wrong with the file.
  ///   - presentBoot: the identifier of the machine's current boot; nil if that isn't known.
  func json(path: String, damage: [CheckpointDamage], presentBoot: String?) -> [UInt8] {
    let isPresent = isOfBoot(presentBoot)
    let document = JSONText.object([
      ("path", .text(path)),
      ("damage", .array(damage.map { .text($0.description) })),
      ("boot", boot.map { .text($0) } ?? .null),
      ("is_present_boot", isPresent.map { .flag($0) } ?? .null),
      ("logs", .array(reading.logs.map(\.json))),
      ("read_place", .natural(reading.through)),
      ("resume_place", .natural(reading.resumption)),
      ("start_place", .natural(reading.start)),
      ("unfinished", .whole(reading.unfinished.count)),
      ("forced", .object(ForcedEnd.Reason.allCases.map { ("\($0)", .whole(reading.count(of: $0))) })),
      ("noted", reading.wallSeconds > 0 ? .text(UTCTime.text(reading.wallSeconds)) : .null),
      ("entry_bytes", .natural(reading.entryBytes)),
      ("behind", .array(reading.behind.map { .text($0) })),
      ("unsaid_drops_max", .object(reading.unsaid.map { ($0.name, .natural($0.countMax)) })),
      ("outputs", .array(outputs.map(\.json))),
    ])
    return document.bytes + [UInt8(ascii: "\n")]
  }

  /// Whether the checkpoint was written during that boot of the machine; nil if that isn't known.
  func isOfBoot(_ other: String?) -> Bool? {
    guard let boot, let other else { return nil }
    return boot == other
  }
}

extension ReadingStanding {
  /// How many transactions were ended for a reason.
  func count(of reason: ForcedEnd.Reason) -> Int { forced.count { $0.reason == reason } }
}

extension LogIncarnation {
  /// When the log's writer started; nil if the log has no writer, or its start isn't a valid time.
  var startText: String? {
    guard let text = writer.map({ UTCTime.text($0.birth) }), !text.isEmpty else { return nil }
    return text
  }
}

extension LogSpan {
  fileprivate var json: JSONText {
    .object([
      ("device", .natural(incarnation.device)),
      ("inode", .natural(incarnation.inode)),
      ("pid", .whole(incarnation.writer.map { Int($0.pid) })),
      ("start", incarnation.startText.map { .text($0) } ?? .null),
      ("first_place", .natural(start)),
    ])
  }
}

extension Checkpoint.Output {
  fileprivate var json: JSONText {
    .object(
      [("name", .text(name))] + standing.members + [("synced", synced.map { .object($0.members) } ?? .null)])
  }
}

extension OutputStanding {
  fileprivate var members: [(String, JSONText)] {
    Self.members(done, sequence) + [("file", place?.json ?? .null), ("begun", pending?.json ?? .null)]
  }

  fileprivate static func members(_ done: EntryMark, _ sequence: Int) -> [(String, JSONText)] {
    [
      ("done_place", .natural(done.place)), ("done_entries", .whole(Int(done.ordinal))),
      ("sequence", .whole(sequence)),
    ]
  }
}

extension OutputPlace {
  fileprivate var json: JSONText {
    .object([
      ("device", .natural(file.device)), ("inode", .natural(file.inode)), ("number", .whole(Int(number))),
      ("bytes", .whole(byteCount)),
    ])
  }
}

extension OutputStanding.Pending {
  fileprivate var json: JSONText {
    .object(OutputStanding.members(done, sequence) + [("bytes", .whole(byteCount))])
  }
}
