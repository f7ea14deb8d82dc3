import Glibc
import Pipeline
import Platform
import TerminalViews

/// The state of a run, for the view that shows its statistics.
package final class RunWatch: Sendable {
  private struct Standing {
    var notices: [String] = []
    /// The latest message since the log was attached; nil if there was none.
    var trouble: String?
    var monitor: RunMonitor?
    var hasEnded = false
    var isClosed = false
  }

  private let standing = Guarded(Standing())
  /// Whether the view stays when the run has ended.
  let staysAtEnd: Bool

  package init(staysAtEnd: Bool = false) { self.staysAtEnd = staysAtEnd }

  /// A monitor that keeps the run's state here.
  ///
  /// - Parameter attached: called each time when a log was attached.
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

  /// Ends the run with a signal: at once, wherever it waits.
  func leave() { kill(getpid(), SIGINT) }

  func noteEnd() { standing.withLock { $0.hasEnded = true } }

  /// Asks the view to close, or notes that it has closed.
  func close() { standing.withLock { $0.isClosed = true } }

  /// Whether the view was asked to close, or has closed by itself.
  var isClosed: Bool { standing.withLock { $0.isClosed } }

  /// Takes the run's messages since the last call.
  func takeNotices() -> [String] {
    standing.withLock { standing in
      defer { standing.notices = [] }
      return standing.notices
    }
  }

  /// Whether the run has ended.
  var hasEnded: Bool { standing.withLock { $0.hasEnded } }

  /// Whether the view has to close.
  var isOver: Bool { standing.withLock { $0.isClosed || ($0.hasEnded && !staysAtEnd) } }

  /// A line with the latest trouble, or with the run's counts.
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
