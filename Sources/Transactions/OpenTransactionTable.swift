import CShims
import VarnishLog

/// The slots of open transactions, by number.
///
/// In blocks, rather than an array: there may be a hundred thousand, and an array that grows copies all of them, into
/// memory that has to be made ready as well. The memory is the grouper's, which hands it in.
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

  /// Has the processor fetch a slot.
  func prefetch(_ index: Int32) {
    let slot = unsafe UnsafeRawPointer(element(index))
    unsafe shim_prefetch(slot)
    unsafe shim_prefetch(slot + 64)
    unsafe shim_prefetch(slot + MemoryLayout<OpenTransaction<Layout>>.size - 1)
  }

  /// Adds a slot.
  ///
  /// - Parameter memory: always the same, which stays as long as the table.
  /// - Returns: its number.
  mutating func append(_ transaction: OpenTransaction<Layout>, _ memory: inout SlabMemory) -> Int32 {
    let index = count
    if index % Self.blockCount == 0 { addBlock(&memory) }
    count += 1
    unsafe element(index).initialize(to: transaction)
    return index
  }

  @inline(never)
  private mutating func addBlock(_ memory: inout SlabMemory) {
    let capacity = Int(Self.blockCount)
    let block = unsafe memory.carve(capacity * MemoryLayout<OpenTransaction<Layout>>.stride)
    unsafe blocks.append(block.bindMemory(to: OpenTransaction<Layout>.self, capacity: capacity))
  }

  @inline(__always)
  private func element(_ index: Int32) -> UnsafeMutablePointer<OpenTransaction<Layout>> {
    precondition(index >= 0 && index < count)
    return unsafe blocks[Int(index / Self.blockCount)] + Int(index % Self.blockCount)
  }
}
