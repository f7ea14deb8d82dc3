import Platform

/// Where the reading thread leaves how the run stands, and others find it.
///
/// It is held only for as long as a value takes to be copied, so that neither waits for the other.
final class StatusBoard: Sendable {
  private let latest: Guarded<RunStatus>

  init(_ status: RunStatus) { latest = Guarded(status) }

  /// Replaces what is there.
  func publish(_ status: RunStatus) {
    var status = status
    // What was there goes when the lock doesn't hold any more.
    latest.withLock { swap(&$0, &status) }
  }

  /// What was published last, as one asks for it.
  func document(_ request: StatusRequest) -> [UInt8] {
    let status = latest.withLock { $0 }
    return switch request {
    case .json: status.json(at: .now())
    case .table: status.table(at: .now())
    }
  }
}
