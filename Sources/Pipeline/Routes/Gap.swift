import Platform
import Rendering

/// The losses of an output that its entries don't mention yet.
struct Gap {
  /// The entries for which there was no room, by cause, with their times.
  private var refused: [(cause: Ledger.Cause, stretch: Stretch)] = []
  /// The entries whose records were overwritten while they were read, with the times of these and of overruns.
  private var overrun = Stretch()
  private var overrunBytes = 0
  /// The time of the present turn.
  var now: Moment

  /// Nothing lost yet.
  init(now: Moment) { self.now = now }

  /// A number of entries, and the times of the first and the last.
  private struct Stretch {
    var count = 0
    var firstSeconds: Int64 = 0, lastSeconds: Int64 = 0

    mutating func add(_ more: Int, at seconds: Int64, isFirst: Bool) {
      if isFirst { firstSeconds = seconds }
      lastSeconds = seconds
      count += more
    }
  }

  /// Whether there is no loss to mention.
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

  /// Notes an entry whose records were overwritten while they were read.
  mutating func noteTorn() {
    overrun.add(1, at: now.wallSeconds, isFirst: overrun.count == 0 && overrunBytes == 0)
  }

  /// Notes bytes of the log that were overwritten before they were read.
  mutating func noteOverrun(_ byteCount: Int) {
    overrun.add(0, at: now.wallSeconds, isFirst: overrun.count == 0 && overrunBytes == 0)
    overrunBytes += byteCount
  }

  /// The notices of the losses.
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
