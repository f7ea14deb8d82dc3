import VarnishLog

/// The tests to put to a record, by its tag's number.
///
/// The caller owns the memory and calls `deallocate`.
@safe struct TestTable {
  // Invariant: `starts` has 257 elements, which never decrease and end at the number of those in `order`; and
  // all of `order` are indices of `tests`.

  private let tests: UnsafeMutableBufferPointer<RecordTest>
  /// For each number, where its tests begin in `order`; those of the next begin where they end.
  private let starts: UnsafeMutableBufferPointer<Int32>
  private let order: UnsafeMutableBufferPointer<Int32>

  init(_ entries: [(test: RecordTest, tags: TagSet)]) {
    unsafe tests = .allocate(capacity: entries.count)
    _ = unsafe tests.initialize(fromContentsOf: entries.map(\.test))
    var order: [Int32] = []
    // One more than a byte can hold, for the end of the last.
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

  /// A test's place in the expression, by its place in the query.
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
