import VarnishLog

/// The slots of open transactions, by number.
///
/// Memory of its own in blocks, rather than an array: there may be a hundred thousand, and an array that grows copies
/// all of them, into memory that has to be made ready as well.
///
/// Owned by its maker, which calls `deallocate`.
@safe struct OpenTransactionTable<Layout: RecordLayout> {
  // Invariant: each of `blocks` has `blockCount` elements, of which the first `count` altogether are initialised, and
  // an index is compared with `count` before it is used. They are plain values: there is nothing to deinitialise.

  private var blocks: [UnsafeMutablePointer<OpenTransaction<Layout>>] = unsafe []
  private(set) var count: Int32 = 0

  private static var blockCount: Int32 { 256 }

  var indices: Range<Int32> { 0..<count }

  subscript(index: Int32) -> OpenTransaction<Layout> {
    @inline(__always)
    unsafeAddress { unsafe UnsafePointer(element(index)) }
    @inline(__always)
    nonmutating unsafeMutableAddress { unsafe element(index) }
  }

  /// Adds a slot.
  ///
  /// - Returns: its number.
  mutating func append(_ transaction: OpenTransaction<Layout>) -> Int32 {
    let index = count
    if index % Self.blockCount == 0 { unsafe blocks.append(.allocate(capacity: Int(Self.blockCount))) }
    count += 1
    unsafe element(index).initialize(to: transaction)
    return index
  }

  func deallocate() {
    for index in unsafe blocks.indices { unsafe blocks[index].deallocate() }
  }

  @inline(__always)
  private func element(_ index: Int32) -> UnsafeMutablePointer<OpenTransaction<Layout>> {
    precondition(index >= 0 && index < count)
    return unsafe blocks[Int(index / Self.blockCount)] + Int(index % Self.blockCount)
  }
}
