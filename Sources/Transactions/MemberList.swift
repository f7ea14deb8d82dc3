import VarnishLog

/// The transactions of the group that is being handed out.
///
/// Memory of its own rather than an array's, because the group views it until the next call and an array
/// doesn't promise to stay where it is. The grouper deallocates it.
@safe struct MemberList<Layout: RecordLayout> {
  private var storage = UnsafeMutableBufferPointer<Transaction<Layout>>.allocate(capacity: 16)
  private(set) var count = 0

  subscript(index: Int) -> Transaction<Layout> {
    precondition(index < count)
    return unsafe storage[index]
  }

  /// - Parameter completionPlace: behind which place the group was complete.
  func group(completedAt completionPlace: UInt64) -> TransactionGroup<Layout> {
    unsafe TransactionGroup(
      UnsafeBufferPointer(rebasing: storage[..<count]), completionPlace: completionPlace)
  }

  /// Lists one transaction and no other.
  @inline(__always)
  mutating func set(only transaction: Transaction<Layout>) {
    // There is room for sixteen from the beginning on.
    unsafe storage.initializeElement(at: 0, to: transaction)
    count = 1
  }

  mutating func append(_ transaction: Transaction<Layout>) {
    if unsafe count == storage.count {
      let larger = UnsafeMutableBufferPointer<Transaction<Layout>>.allocate(capacity: count * 2)
      _ = unsafe larger.moveInitialize(fromContentsOf: storage)
      unsafe storage.deallocate()
      unsafe storage = unsafe larger
    }
    unsafe storage.initializeElement(at: count, to: transaction)
    count += 1
  }

  // Transactions are plain values: there is nothing to deinitialise.
  mutating func removeAll() { count = 0 }

  func deallocate() { unsafe storage.deallocate() }
}
