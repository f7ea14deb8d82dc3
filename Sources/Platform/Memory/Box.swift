/// A value at an address of its own: a case of an enum that holds one can be changed without being moved.
@safe package struct Box<Value: ~Copyable>: ~Copyable {
  // Invariant: an initialized value lies at `address` until `deinit`. A box isn't copied, so there is one way to it;
  // its owners change the value on one thread, and never while they read it.
  @usableFromInline let address: UnsafeMutablePointer<Value>

  /// Puts a value into memory of its own.
  package init(_ value: consuming Value) {
    unsafe address = .allocate(capacity: 1)
    unsafe address.initialize(to: value)
  }

  deinit {
    unsafe address.deinitialize(count: 1)
    unsafe address.deallocate()
  }

  /// The value.
  @inlinable package var value: Value {
    _read { yield unsafe address.pointee }
    nonmutating _modify { yield unsafe &address.pointee }
  }
}
