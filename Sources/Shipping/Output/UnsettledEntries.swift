import Platform
import Spool

/// Entries that a sink has taken and not written yet, as they were before they were compressed.
///
/// Another thread may ask for them while the sink hangs in a system call.
final class UnsettledEntries: Sendable {
  private let list = Guarded(EntryList(bytes: [], ends: []))

  /// Takes note of whole entries.
  func append(_ batch: EntryBatch) {
    list.withLock { list in
      let start = list.bytes.count
      list.bytes.append(contentsOf: batch.bytes)
      for index in 0..<batch.count { list.ends.append(start + batch.endOffset(of: index)) }
    }
  }

  /// Forgets all of them: they are written.
  func removeAll() {
    list.withLock { list in
      list.bytes.removeAll(keepingCapacity: true)
      list.ends.removeAll(keepingCapacity: true)
    }
  }

  /// All of them.
  var all: EntryList { list.withLock { $0 } }
}
