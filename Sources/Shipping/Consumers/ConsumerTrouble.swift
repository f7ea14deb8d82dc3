import Platform
import Spool

/// Collects the failures of consumers, one after the other, and reports only what is new.
struct ConsumerTrouble {
  /// Whether entries that a consumer had not taken are given up, and what the entries are.
  let drops: Bool, content: EntryContent

  /// The trouble, by the reason of the last consumer's end.
  private var trouble = Trouble<String>()
  /// How many entries were given up or had to be sent again, and how many may be lost.
  private var entries = 0, unconfirmed = 0

  init(drops: Bool, content: EntryContent) {
    self.drops = drops
    self.content = content
  }

  /// Whether a consumer has failed and none has worked since.
  var isThere: Bool { trouble.isThere }

  /// Notes how a consumer ended.
  /// - Parameters:
  ///   - entries: how many entries were on their way to the consumer.
  ///   - unconfirmed: how many entries the consumer's system had taken that the consumer may not have read.
  ///   - pause: the time until the next attempt, in nanoseconds.
  /// - Returns: The message to report, if it is new.
  mutating func add(_ end: LinkEnd, entries: Int, unconfirmed: Int = 0, pause: Int64, at now: Moment)
    -> String?
  {
    self.entries += entries
    self.unconfirmed += unconfirmed
    guard trouble.begin(end.reason, at: now) else { return nil }
    let fate = entries == 0 ? "" : ", \(counted(entries)) \(drops ? "dropped" : "sent again")"
    let doubt = unconfirmed == 0 ? "" : ", \(counted(unconfirmed)) unconfirmed"
    let prospect =
      end.isUsual
      ? "waiting for the next one" : "it is tried again until it works, next in \(seconds(pause)) s"
    return "\(end.reason)\(fate)\(doubt); \(prospect)"
  }

  /// Notes that a consumer works again.
  /// - Returns: The message to report, if there was any trouble.
  mutating func end(at now: Moment) -> String? {
    guard let seconds = trouble.end(at: now) else { return nil }
    defer { self = ConsumerTrouble(drops: drops, content: content) }
    return "works again after \(seconds) s"
      + (drops && entries > 0 ? ", \(counted(entries)) dropped in all" : "")
      + (unconfirmed > 0 ? ", \(counted(unconfirmed)) unconfirmed in all" : "")
  }

  /// A number of entries and the verb that goes with it, for a message.
  func counted(_ entries: Int) -> String {
    content.counted(entries) + (entries == 1 ? " is" : " are")
  }

  private func seconds(_ nanoseconds: Int64) -> String {
    let tenths = nanoseconds / 100_000_000
    return tenths % 10 == 0 ? "\(tenths / 10)" : "\(tenths / 10).\(tenths % 10)"
  }
}
