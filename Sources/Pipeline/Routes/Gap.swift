import Platform
import Rendering

/// What an output has lost since it was last said in the output.
struct Gap {
  /// What is lost because there was no room, for each cause that there was, and when.
  private var refused: [(cause: Ledger.Cause, stretch: Stretch)] = []
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
  var isEmpty: Bool { refused.isEmpty && overrun.count == 0 && overrunBytes == 0 }

  /// Notes an entry for which there was no room.
  mutating func noteRefusal(_ cause: Ledger.Cause) {
    if let index = refused.firstIndex(where: { $0.cause == cause }) {
      refused[index].stretch.add(1, at: now.wallSeconds, isFirst: false)
    } else {
      var stretch = Stretch()
      stretch.add(1, at: now.wallSeconds, isFirst: true)
      refused.append((cause, stretch))
    }
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
  /// - Parameter averageBytes: how many bytes of the log one entry was made of so far, for an estimate.
  func notices(averageBytes: Int) -> [LossNotice] {
    var notices: [LossNotice] = []
    if overrun.count > 0 || overrunBytes > 0 {
      let estimate = overrunBytes > 0 ? max(1, overrunBytes / max(1, averageBytes)) : 0
      notices.append(
        LossNotice(
          cause: "overrun", count: overrun.count + estimate, isEstimate: overrunBytes > 0,
          firstSeconds: overrun.firstSeconds, lastSeconds: overrun.lastSeconds))
    }
    return notices
      + refused.map { cause, stretch in
        LossNotice(
          cause: cause.rawValue, count: stretch.count, isEstimate: false,
          firstSeconds: stretch.firstSeconds, lastSeconds: stretch.lastSeconds)
      }
  }
}
