/// A value on its way to another thread: this is the only reference to it until it is taken out.
package struct Handover<Value>: ~Copyable, @unchecked Sendable {
  // The value has no other owner, as `sending` ensures, so that it may be taken out on any thread.
  private let value: Value

  /// Puts a value in.
  package init(_ value: sending Value) { self.value = value }

  /// Takes the value out.
  package consuming func take() -> sending Value {
    nonisolated(unsafe) let value = value
    return unsafe value
  }
}
