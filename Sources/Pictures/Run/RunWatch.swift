import Glibc
import Pipeline
import Platform
import TerminalViews

/// How a run does, for those who show what comes of it.
package final class RunWatch: Sendable {
  private struct Standing {
    var notices: [String] = []
    /// What was said since the log was attached last; nil if all is well.
    var trouble: String?
    var monitor: RunMonitor?
    var hasEnded = false
    var isClosed = false
  }

  private let standing = Guarded(Standing())
  /// Whether what is shown stays when the run has ended.
  let staysAtEnd: Bool

  package init(staysAtEnd: Bool = false) { self.staysAtEnd = staysAtEnd }

  /// What the run tells.
  ///
  /// - Parameter attached: called each time when there is a log.
  func makeMonitor(attached: @escaping @Sendable () -> Void) -> RunMonitor {
    RunMonitor(
      attached: { monitor in
        self.standing.withLock { standing in
          standing.monitor = monitor
          standing.trouble = nil
        }
        attached()
      },
      say: { notice in
        self.standing.withLock { standing in
          standing.notices.append(notice)
          standing.trouble = notice
        }
      })
  }

  /// Ends the run as a signal would: at once, wherever it waits.
  func leave() { kill(getpid(), SIGINT) }

  func noteEnd() { standing.withLock { $0.hasEnded = true } }

  /// Has what is shown go, or notes that it is gone.
  func close() { standing.withLock { $0.isClosed = true } }

  /// Whether what is shown was to go, or has gone by itself.
  var isClosed: Bool { standing.withLock { $0.isClosed } }

  /// What the run has said.
  func takeNotices() -> [String] {
    standing.withLock { standing in
      defer { standing.notices = [] }
      return standing.notices
    }
  }

  /// Whether there will be nothing more.
  var hasEnded: Bool { standing.withLock { $0.hasEnded } }

  /// Whether what is shown is to go.
  var isOver: Bool { standing.withLock { $0.isClosed || ($0.hasEnded && !staysAtEnd) } }

  /// What is wrong, or what was lost.
  var line: StyledLine {
    let (trouble, monitor) = standing.withLock { ($0.trouble, $0.monitor) }
    if let trouble { return StyledLine(VisibleText.oneLine(trouble), .bad) }
    guard let monitor else { return StyledLine("") }
    let ledger = monitor.progress.ledger
    let missing = ledger.dropped + ledger.lost
    let text = "seen \(ledger.seen)  counted \(ledger.written)  filtered \(ledger.filtered)  "
    return StyledLine([
      StyledLine.Piece(text, .faint),
      missing == 0
        ? StyledLine.Piece("nothing lost", .faint) : StyledLine.Piece("lost \(missing)", .bad),
    ])
  }
}
