import Synchronization

/// A log in two directories of segments, as a manager and its worker have them; here both are this process.
final class IndexedStore: SectionStore {
  private let place: LogPlace
  private let manager: SectionList
  private let worker: SectionList
  private let hasEnded = Atomic(false)

  /// Makes both directories; readers look at the worker's only once the manager's has an index.
  ///
  /// - Parameters:
  ///   - manager: makes the manager's first sections; there must be one, or the tools of the log's own
  ///     server see nothing.
  ///   - worker: makes the worker's first sections.
  init(
    in place: LogPlace, _ options: LogWriterOptions,
    manager prepareManager: (any SectionStore) throws(LogWriterError) -> Void,
    worker prepareWorker: (any SectionStore) throws(LogWriterError) -> Void
  ) throws(LogWriterError) {
    self.place = place
    manager = try SectionList(LogPlace.managerName, in: place, permissions: options.permissions)
    worker = try SectionList(LogPlace.workerName, in: place, permissions: options.permissions)
    do {
      try prepareManager(manager)
      try prepareWorker(worker)
      try worker.publish()
      try manager.publish()
    } catch {
      close()
      throw error
    }
  }

  func allocate(
    _ label: SectionLabel, byteCount: Int, prepare: (UnsafeMutableRawPointer) -> Void
  ) throws(LogWriterError) -> SectionMemory {
    unsafe try worker.allocate(label, byteCount: byteCount, prepare: prepare)
  }

  func free(_ memory: SectionMemory) throws(LogWriterError) { try worker.free(memory) }

  func close() {
    // Removed only once: afterwards, the files of these names may be another writer's.
    guard hasEnded.compareExchange(expected: false, desired: true, ordering: .acquiringAndReleasing).exchanged
    else { return }
    worker.close()
    manager.close()
    // What can't be removed now is removed by the next writer in this directory.
    try? LogPlace.removeSet(LogPlace.workerName, in: place.directory)
    try? LogPlace.removeSet(LogPlace.managerName, in: place.directory)
    place.release()
  }
}
