import CShims
import Synchronization

/// Counters that readers see while they change, without a lock on either side.
public final class CounterSet: Sendable {
  /// What the set is called, for example `MAIN` or `SERVER.https`.
  public let name: String
  /// How many counters there are.
  public let count: Int
  private let store: any SectionStore
  private let memory: SectionMemory
  private let bodyOffset: Int
  private let isRemoved = Atomic(false)

  init(_ name: String, count: Int, in store: any SectionStore, _ memory: SectionMemory, bodyOffset: Int) {
    self.name = name
    self.count = count
    self.store = store
    self.memory = memory
    self.bodyOffset = bodyOffset
  }

  /// The value of a counter, by its place in the list that the set was made with.
  public subscript(index: Int) -> UInt64 {
    get { unsafe shim_load_acquire_u64(place(index)) }
    set { if !hasEnded { unsafe shim_store_u64(place(index), newValue) } }
  }

  /// Adds to a counter; any thread may, at any time.
  public func add(_ amount: Int = 1, to index: Int) {
    if !hasEnded { unsafe shim_add_u64(place(index), UInt64(bitPattern: Int64(amount))) }
  }

  /// Takes the set away from readers.
  ///
  /// What is added to its counters afterwards is lost.
  public func remove() {
    guard isRemoved.compareExchange(expected: false, desired: true, ordering: .relaxed).exchanged else {
      return
    }
    if bodyOffset > 0 { unsafe shim_store_release_u32(memory.base, CounterDocument.hidden) }
    try? store.free(memory)
  }

  /// In a single file, the memory may belong to another section by now.
  private var hasEnded: Bool { isRemoved.load(ordering: .relaxed) }

  private func place(_ index: Int) -> UnsafeMutableRawPointer {
    precondition(index >= 0 && index < count, "no counter of this number in \(name)")
    return unsafe memory.base + bodyOffset + index * 8
  }

  /// Where a counter is, for the one thread at a time that changes it.
  func address(of index: Int) -> UnsafeMutableRawPointer { unsafe place(index) }
}

extension SectionStore {
  /// Makes a set of counters whose description is there already.
  func allocateCounters(
    _ label: SectionLabel, count: Int, _ document: CounterDocument?
  ) throws(LogWriterError) -> CounterSet {
    let bodyOffset = document == nil ? 0 : CounterDocument.headByteCount
    let memory = unsafe try allocate(label, byteCount: bodyOffset + count * 8) { memory in
      guard let document else { return }
      unsafe document.writeHead(to: memory)
      unsafe shim_store_release_u32(memory, CounterDocument.ready)
    }
    return CounterSet(label.ident, count: count, in: self, memory, bodyOffset: bodyOffset)
  }

  /// Publishes the description of sets that will be made.
  ///
  /// - Parameter label: the label by which readers find the description; nil takes one with its number.
  @discardableResult
  func allocateDocument(
    _ document: CounterDocument, as label: SectionLabel? = nil
  ) throws(LogWriterError) -> SectionMemory {
    let byteCount = CounterDocument.headByteCount + document.bytes.count
    let label = label ?? SectionLabel("StatDoc", name: document.name)
    return unsafe try allocate(label, byteCount: byteCount) { memory in
      unsafe document.writeHead(to: memory)
      unsafe (memory + CounterDocument.headByteCount).copyMemory(
        from: document.bytes, byteCount: document.bytes.count)
      unsafe shim_store_release_u32(memory, CounterDocument.ready)
    }
  }
}
