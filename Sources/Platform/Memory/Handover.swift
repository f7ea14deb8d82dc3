/// A value on its way to another thread: the only way to it is this one, until it is taken out.
package struct Handover<Value>: ~Copyable, @unchecked Sendable {
  // What is put in has no other owner, as `sending` says, so that it may be taken out on any thread.
  private let value: Value

  /// Puts a value in.
  package init(_ value: sending Value) { self.value = value }

  /// Takes it out.
  package consuming func take() -> sending Value {
    nonisolated(unsafe) let value = value
    return unsafe value
  }
}
