import Platform

/// Where the reading thread leaves how the run stands, and others find it.
///
/// It is held only for as long as a value takes to be copied, so that neither waits for the other.
package final class StatusBoard: Sendable, Equatable {
  private let guarded: Guarded<RunStatus?>

  /// Nothing is left there until the run begins.
  package init() { guarded = Guarded(nil) }

  /// Whether both are the same.
  package static func == (one: StatusBoard, other: StatusBoard) -> Bool { one === other }

  /// What was published last.
  package var latest: RunStatus? { guarded.withLock { $0 } }

  /// Replaces what is there.
  func publish(_ status: RunStatus) {
    var status: RunStatus? = status
    // What was there goes when the lock doesn't hold any more.
    guarded.withLock { swap(&$0, &status) }
  }

  /// What was published last, as one asks for it.
  func document(_ request: StatusRequest) -> [UInt8] {
    guard let status = latest else { return [] }
    return switch request {
    case .json: status.json(at: .now())
    case .table: status.table(at: .now())
    }
  }
}
