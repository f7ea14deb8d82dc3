import Platform
import Rendering
import Spool

/// Saying in the output itself where something was lost, for `--mark-gaps`.
extension Route {
  /// Tells the route the time of the present turn.
  mutating func begin(turnAt now: Moment) {
    if configuration.marksGaps { gap.now = now }
  }

  /// Counts bytes of the log that were overwritten before they were read.
  mutating func countOverrun(_ byteCount: Int) {
    ledger.lostBytes += byteCount
    if configuration.marksGaps { gap.noteOverrun(byteCount) }
  }

  /// Writes notices of the losses in front of the next entry, as soon as there is room for them.
  ///
  /// - Parameter isLast: whether no entry follows.
  mutating func markGap(isLast: Bool = false) {
    let lines = gap.notices(averageBytes: ledger.averageBytes).map { $0.line(noticeNotation) }
    let byteCount = lines.reduce(0) { $0 + $1.count }
    // If the next entry found no room behind the notices, that would be another gap.
    let next = isLast ? 0 : usualByteCount
    guard case .room(let room) = writer.reserve(byteCount + lines.count * SpoolWriter.entryOverhead + next)
    else { return }
    var start = 0
    for line in lines {
      unsafe UnsafeMutableRawBufferPointer(rebasing: room[start...]).copyBytes(from: line)
      start += line.count
    }
    for line in lines { writer.commit(line.count, marks.notice) }
    ledger.committed += lines.count
    ledger.marks += lines.count
    gap = Gap(now: gap.now)
  }
}
