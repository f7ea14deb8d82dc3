import Synchronization

/// A piece of a log's memory that readers find by its class and name.
public final class LogSection: Sendable {
  /// Its class, for example `Arg`.
  public let kind: String
  /// Its name among those of the class.
  public let name: String
  private let store: any SectionStore
  private let memory: SectionMemory
  private let isFreed = Atomic(false)

  init(_ label: SectionLabel, in store: any SectionStore, _ memory: SectionMemory) {
    kind = label.kind
    name = label.ident
    self.store = store
    self.memory = memory
  }

  /// How many bytes it has.
  public var byteCount: Int { memory.byteCount }

  /// Gives the memory to `body`, to be written while others read it.
  ///
  /// - Returns: nil if the section was freed. The caller of `free()` makes sure that no thread is in here.
  public func withMemory<Result>(_ body: (UnsafeMutableRawBufferPointer) -> Result) -> Result? {
    if isFreed.load(ordering: .acquiring) { return nil }
    return unsafe body(UnsafeMutableRawBufferPointer(start: memory.base, count: memory.byteCount))
  }

  /// Takes the section away from readers.
  ///
  /// Readers that still look at it find it unchanged for long enough to see that it is gone.
  ///
  /// - Throws: `LogWriterError` if the list of sections can't be changed.
  public func free() throws(LogWriterError) {
    guard isFreed.compareExchange(expected: false, desired: true, ordering: .acquiringAndReleasing).exchanged
    else { return }
    try store.free(memory)
  }
}
