import VarnishLog

/// The tests to put to a record, by its tag's number.
///
/// Owned by whoever makes it and calls `deallocate`.
struct TestTable {
  private let tests: UnsafeMutableBufferPointer<RecordTest>
  /// For each number, where its tests begin in `order`; those of the next begin where they end.
  private let starts: UnsafeMutableBufferPointer<Int32>
  private let order: UnsafeMutableBufferPointer<Int32>

  init(_ entries: [(test: RecordTest, tags: TagSet)]) {
    tests = .allocate(capacity: entries.count)
    _ = tests.initialize(fromContentsOf: entries.map(\.test))
    var order: [Int32] = []
    // One more than a byte can hold, for the end of the last.
    starts = .allocate(capacity: 257)
    starts.initialize(repeating: 0)
    for number in UInt8.min...UInt8.max {
      for (index, entry) in entries.enumerated() where entry.tags.contains(number) {
        order.append(Int32(index))
      }
      starts[Int(number) + 1] = Int32(order.count)
    }
    self.order = .allocate(capacity: order.count)
    _ = self.order.initialize(fromContentsOf: order)
  }

  func deallocate() {
    tests.deallocate()
    starts.deallocate()
    order.deallocate()
  }

  var isEmpty: Bool { tests.isEmpty }

  /// All tests, in the order of the query.
  var all: UnsafeBufferPointer<RecordTest> { UnsafeBufferPointer(tests) }

  /// The places of a tag's tests, to be used with the subscript.
  @inline(__always)
  func places(of tag: UInt8) -> Range<Int> {
    // The starts never decrease.
    Range(uncheckedBounds: (Int(starts[Int(tag)]), Int(starts[Int(tag) + 1])))
  }

  @inline(__always)
  subscript(place: Int) -> UnsafePointer<RecordTest> {
    UnsafePointer(tests.baseAddress.unsafelyUnwrapped + Int(order[place]))
  }
}
