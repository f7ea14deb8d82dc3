/// A list of slot numbers, in memory of its own: an array counts its references at each use.
@safe struct SlotList: ~Copyable {
  // Invariant: `0 <= count <= capacity`, and `slots` has `capacity` elements, of which the first `count` are
  // initialised.

  private var slots = UnsafeMutablePointer<Int32>.allocate(capacity: 16)
  private var capacity = 16
  private(set) var count = 0

  deinit { unsafe slots.deallocate() }

  var isEmpty: Bool { count == 0 }

  subscript(index: Int) -> Int32 {
    @inline(__always)
    get {
      precondition(index >= 0 && index < count)
      return unsafe slots[index]
    }
  }

  @inline(__always)
  mutating func append(_ slot: Int32) {
    if count == capacity { grow() }
    unsafe (slots + count).initialize(to: slot)
    count &+= 1
  }

  /// Takes the last number out; nil if there is none.
  @inline(__always)
  mutating func popLast() -> Int32? {
    guard count > 0 else { return nil }
    count &-= 1
    return unsafe slots[count]
  }

  mutating func removeAll() { count = 0 }

  @inline(never)
  private mutating func grow() {
    let larger = UnsafeMutablePointer<Int32>.allocate(capacity: capacity * 2)
    unsafe larger.moveInitialize(from: slots, count: count)
    unsafe slots.deallocate()
    unsafe slots = unsafe larger
    capacity *= 2
  }
}
