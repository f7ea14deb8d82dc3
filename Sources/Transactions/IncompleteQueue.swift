import CShims

/// The slots of transactions that haven't ended, in the order in which they were opened.
///
/// The links are kept apart from the slots, so that taking one out doesn't fetch the slots of its neighbours:
/// there may be very many, and few of them are in the processor's caches.
@safe struct IncompleteQueue: ~Copyable {
  // Invariant: `links` has `capacity` elements, all initialised; what is -1 or less than `capacity` are the indices in
  // them, `oldest` and `newest`.

  /// The neighbours of a slot; -1 where there is none.
  private struct Link {
    var older: Int32 = -1
    var newer: Int32 = -1
  }

  private var links = UnsafeMutablePointer<Link>.allocate(capacity: 0)
  private var capacity: Int32 = 0
  private(set) var oldest: Int32 = -1
  private var newest: Int32 = -1

  deinit { unsafe links.deallocate() }

  /// Puts a slot that isn't in the queue last.
  mutating func append(_ index: Int32) {
    precondition(index >= 0)
    if index >= capacity { grow(beyond: index) }
    unsafe links[Int(index)] = Link(older: newest, newer: -1)
    if newest >= 0 { unsafe links[Int(newest)].newer = index } else { oldest = index }
    newest = index
  }

  /// Takes out a slot that is in the queue.
  mutating func remove(_ index: Int32) {
    precondition(index >= 0 && index < capacity)
    let link = unsafe links[Int(index)]
    if link.older >= 0 { unsafe links[Int(link.older)].newer = link.newer } else { oldest = link.newer }
    if link.newer >= 0 { unsafe links[Int(link.newer)].older = link.older } else { newest = link.older }
  }

  /// Prefetches the links of a slot.
  func prefetch(_ index: Int32) {
    if index >= 0, index < capacity { unsafe shim_prefetch(links + Int(index)) }
  }

  /// Prefetches the links of the slots in front of a slot and behind it.
  func prefetchNeighbours(of index: Int32) {
    guard index >= 0, index < capacity else { return }
    let link = unsafe links[Int(index)]
    prefetch(link.older)
    prefetch(link.newer)
  }

  mutating func removeAll() {
    oldest = -1
    newest = -1
  }

  @inline(never)
  private mutating func grow(beyond index: Int32) {
    let larger = max(256, Int(index) + 1, Int(capacity) * 2)
    let new = UnsafeMutablePointer<Link>.allocate(capacity: larger)
    unsafe new.moveInitialize(from: links, count: Int(capacity))
    unsafe (new + Int(capacity)).initialize(repeating: Link(), count: larger - Int(capacity))
    unsafe links.deallocate()
    unsafe links = unsafe new
    capacity = Int32(larger)
  }
}
