import Pipeline
import Platform

/// Collects all metrics: those of the server, of its requests, and of the run.
///
/// Each thread that serves or writes metrics has a collector of its own. It copies what other threads have
/// counted, and reads the server's counters itself.
struct MetricsCollector: ~Copyable {
  private let book: Guarded<RequestBook>
  private let board: StatusBoard?
  private var instance: InstanceMetrics?

  init(_ book: Guarded<RequestBook>, _ board: StatusBoard?, _ place: InstancePlace?) {
    self.book = book
    self.board = board
    instance = place.map { InstanceMetrics($0) }
  }

  /// All metrics as they are now.
  mutating func exposition(_ form: Exposition.Form) -> [UInt8] {
    let requests = book.withLock { $0 }
    let status = board?.latest
    let counters = instance?.families() ?? []
    return Exposition.bytes(
      of: counters + requests.families + (status?.families(at: .now()) ?? []), form)
  }
}
