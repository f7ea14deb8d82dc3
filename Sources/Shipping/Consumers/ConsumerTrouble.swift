import Platform
import Spool

/// Failures of consumers one after the other, of which only what is new is said.
struct ConsumerTrouble {
  /// Whether what a consumer had not taken is given up, and what that is.
  let drops: Bool, content: EntryContent

  /// By the last one's reason.
  private var trouble = Trouble<String>()
  /// How many entries were given up or had to be sent again, and how many may be lost.
  private var entries = 0, unconfirmed = 0

  init(drops: Bool, content: EntryContent) {
    self.drops = drops
    self.content = content
  }

  /// Whether anything has failed that is not over.
  var isThere: Bool { trouble.isThere }

  /// Notes how a consumer went.
  /// - Parameters:
  ///   - entries: how many were on their way to it.
  ///   - unconfirmed: how many its system had taken that it may not have read.
  ///   - pause: how long it is until the next attempt, in nanoseconds.
  /// - Returns: What there is to say, if that is new.
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

  /// Notes that it is over.
  /// - Returns: What there is to say, if there was anything.
  mutating func end(at now: Moment) -> String? {
    guard let seconds = trouble.end(at: now) else { return nil }
    defer { self = ConsumerTrouble(drops: drops, content: content) }
    return "works again after \(seconds) s"
      + (drops && entries > 0 ? ", \(counted(entries)) dropped in all" : "")
      + (unconfirmed > 0 ? ", \(counted(unconfirmed)) unconfirmed in all" : "")
  }

  /// A number of entries, to be followed by what they are.
  func counted(_ entries: Int) -> String {
    content.counted(entries) + (entries == 1 ? " is" : " are")
  }

  private func seconds(_ nanoseconds: Int64) -> String {
    let tenths = nanoseconds / 100_000_000
    return tenths % 10 == 0 ? "\(tenths / 10)" : "\(tenths / 10).\(tenths % 10)"
  }
}
