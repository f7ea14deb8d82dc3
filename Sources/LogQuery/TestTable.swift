import VarnishLog

/// The tests to put to a record, by its tag's number.
///
/// The caller owns the memory and calls `deallocate`.
@safe struct TestTable {
  // Invariant: `starts` has 257 elements, which never decrease and end with the count of `order`; all
  // elements of `order` are indices of `tests`.

  private let tests: UnsafeMutableBufferPointer<RecordTest>
  /// For each tag's number, where its tests begin in `order`; they end where the next number's tests begin.
  private let starts: UnsafeMutableBufferPointer<Int32>
  private let order: UnsafeMutableBufferPointer<Int32>

  init(_ entries: [(test: RecordTest, tags: TagSet)]) {
    unsafe tests = .allocate(capacity: entries.count)
    _ = unsafe tests.initialize(fromContentsOf: entries.map(\.test))
    var order: [Int32] = []
    // One more element than there are tags' numbers, for the end of the last number's tests.
    unsafe starts = .allocate(capacity: 257)
    unsafe starts.initialize(repeating: 0)
    for number in RecordHeader.tagNumbers {
      for (index, entry) in entries.enumerated() where entry.tags.contains(number) {
        order.append(Int32(index))
      }
      unsafe starts[Int(number) + 1] = Int32(order.count)
    }
    unsafe self.order = .allocate(capacity: order.count)
    _ = unsafe self.order.initialize(fromContentsOf: order)
  }

  func deallocate() {
    unsafe tests.deallocate()
    unsafe starts.deallocate()
    unsafe order.deallocate()
  }

  var isEmpty: Bool { unsafe tests.isEmpty }

  var count: Int { unsafe tests.count }

  /// A test's node in the expression, by the test's index.
  func node(at index: Int) -> Int32 { unsafe tests[index].node }

  /// The places of a tag's tests, to be used with the subscript.
  @inline(__always)
  func places(of tag: UInt8) -> Range<Int> {
    // The starts never decrease.
    unsafe Range(uncheckedBounds: (Int(starts[Int(tag)]), Int(starts[Int(tag) + 1])))
  }

  @inline(__always)
  subscript(place: Int) -> UnsafePointer<RecordTest> {
    unsafe UnsafePointer(tests.baseAddress.unsafelyUnwrapped + Int(order[place]))
  }
}
