import Platform

/// Passes the run's status from the reading thread to other threads.
///
/// Its lock is held only for as long as a value takes to be copied, so that no thread waits long for another.
package final class StatusBoard: Sendable, Equatable {
  private let guarded: Guarded<RunStatus?>

  /// A board without a status, until the run begins.
  package init() { guarded = Guarded(nil) }

  /// Whether both are the same object.
  package static func == (one: StatusBoard, other: StatusBoard) -> Bool { one === other }

  /// The status that was published last; nil before the first.
  package var latest: RunStatus? { guarded.withLock { $0 } }

  /// Replaces the status.
  func publish(_ status: RunStatus) {
    var status: RunStatus? = status
    // The former status is freed after the lock is released.
    guarded.withLock { swap(&$0, &status) }
  }

  /// The status that was published last, in the form that is asked for.
  func document(_ request: StatusRequest) -> [UInt8] {
    guard let status = latest else { return [] }
    return switch request {
    case .json: status.json(at: .now())
    case .table: status.table(at: .now())
    }
  }
}
