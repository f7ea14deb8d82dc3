import Platform
import Spool

/// Entries that a sink has taken and not written yet, uncompressed.
///
/// Another thread may read them while the sink hangs in a system call.
final class UnsettledEntries: Sendable {
  private let runs = Guarded<[EntryRun]>([])

  /// Takes note of whole entries.
  func append(_ batch: EntryBatch) {
    runs.withLock { runs in
      if let last = runs.indices.last, runs[last].append(batch) { return }
      var run = EntryRun(firstSequence: batch.start.sequence, entries: EntryList(bytes: [], ends: []))
      _ = run.append(batch)
      runs.append(run)
    }
  }

  /// Removes all of them, once they are written.
  func removeAll() { runs.withLock { $0.removeAll() } }

  /// All of them, oldest first.
  var all: [EntryRun] { runs.withLock { $0 } }
}
