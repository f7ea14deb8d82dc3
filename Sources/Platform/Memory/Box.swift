/// A value at an address of its own: a case of an enum that holds one can be changed without being moved.
public struct Box<Value: ~Copyable>: ~Copyable {
  // Invariant: an initialized value lies at `address` until `deinit`. A box isn't copied, so there is one way to it;
  // its owners change the value on one thread, and never while they read it.
  @usableFromInline let address: UnsafeMutablePointer<Value>

  /// Puts a value into memory of its own.
  public init(_ value: consuming Value) {
    address = .allocate(capacity: 1)
    address.initialize(to: value)
  }

  deinit {
    address.deinitialize(count: 1)
    address.deallocate()
  }

  /// The value.
  @inlinable public var value: Value {
    @inline(__always) unsafeAddress { UnsafePointer(address) }
    @inline(__always) nonmutating unsafeMutableAddress { address }
  }
}
