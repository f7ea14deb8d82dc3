/// A value at its own address: if a case of an enum holds a box, the value can be changed without being
/// moved.
@safe public struct Box<Value: ~Copyable>: ~Copyable {
  // Invariant: an initialized value is at `address` until `deinit`. A box isn't copied, so it is the only
  // reference to the value; its owners change the value on one thread, and never while they read it.
  @usableFromInline let address: UnsafeMutablePointer<Value>

  /// Puts a value into newly allocated memory.
  public init(_ value: consuming Value) {
    unsafe address = .allocate(capacity: 1)
    unsafe address.initialize(to: value)
  }

  deinit {
    unsafe address.deinitialize(count: 1)
    unsafe address.deallocate()
  }

  /// The value.
  @inlinable public var value: Value {
    @inline(__always) unsafeAddress { unsafe UnsafePointer(address) }
    @inline(__always) nonmutating unsafeMutableAddress { unsafe address }
  }
}
