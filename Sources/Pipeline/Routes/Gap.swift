import Platform
import Rendering

/// What an output has lost since it was last said in the output.
struct Gap {
  /// What is lost because there was no room, and when.
  private var refused = Stretch()
  /// What was overwritten before it was read.
  private var overrun = Stretch()
  private var overrunBytes = 0
  /// The time of the present turn.
  var now: Moment

  /// Nothing lost yet.
  init(now: Moment) { self.now = now }

  /// So many, from one time to another.
  private struct Stretch {
    var count = 0
    var firstSeconds: Int64 = 0, lastSeconds: Int64 = 0

    mutating func add(_ more: Int, at seconds: Int64, isFirst: Bool) {
      if isFirst { firstSeconds = seconds }
      lastSeconds = seconds
      count += more
    }
  }

  /// Whether there is nothing to say.
  var isEmpty: Bool { refused.count == 0 && overrun.count == 0 && overrunBytes == 0 }

  /// Notes an entry for which there was no room.
  mutating func noteRefusal() {
    refused.add(1, at: now.wallSeconds, isFirst: refused.count == 0)
  }

  /// Notes what was found overwritten while it was being read.
  mutating func noteTorn() {
    overrun.add(1, at: now.wallSeconds, isFirst: overrun.count == 0 && overrunBytes == 0)
  }

  /// Notes bytes of the log that were overwritten before they were read.
  mutating func noteOverrun(_ byteCount: Int) {
    overrun.add(0, at: now.wallSeconds, isFirst: overrun.count == 0 && overrunBytes == 0)
    overrunBytes += byteCount
  }

  /// What there is to say.
  ///
  /// - Parameters:
  ///   - refusal: why there was no room.
  ///   - averageBytes: how many bytes of the log one entry was made of so far, for an estimate.
  func notices(_ refusal: Ledger.Cause, averageBytes: Int) -> [LossNotice] {
    var notices: [LossNotice] = []
    if overrun.count > 0 || overrunBytes > 0 {
      let estimate = overrunBytes > 0 ? max(1, overrunBytes / max(1, averageBytes)) : 0
      notices.append(
        LossNotice(
          cause: "overrun", count: overrun.count + estimate, isEstimate: overrunBytes > 0,
          firstSeconds: overrun.firstSeconds, lastSeconds: overrun.lastSeconds))
    }
    if refused.count > 0 {
      notices.append(
        LossNotice(
          cause: refusal.rawValue, count: refused.count, isEstimate: false,
          firstSeconds: refused.firstSeconds, lastSeconds: refused.lastSeconds))
    }
    return notices
  }
}
