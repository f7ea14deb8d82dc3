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

  /// Writes what was lost in front of what comes next, as soon as there is room for it.
  ///
  /// - Parameter isLast: whether nothing comes next.
  mutating func markGap(isLast: Bool = false) {
    let lines = gap.notices(averageBytes: ledger.averageBytes).map { $0.line(noticeNotation) }
    let byteCount = lines.reduce(0) { $0 + $1.count }
    // If what comes next found no room behind it, that would be another gap.
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
