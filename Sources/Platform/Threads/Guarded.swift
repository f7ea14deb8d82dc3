/// A value behind a lock that is never held for long (`Lock`).
@safe package final class Guarded<Value: ~Copyable>: @unchecked Sendable {
  @usableFromInline package let lock = Lock()
  // Only touched while the lock is held, so no exclusivity check is needed.
  @exclusivity(unchecked) @usableFromInline package var value: Value

  package init(_ value: consuming sending Value) { unsafe self.value = value }

  /// Reads or changes the value while no other thread does.
  @inlinable
  package func withLock<Result: ~Copyable, Failure: Error>(
    _ body: (inout Value) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try lock.withLock { () throws(Failure) in unsafe try body(&value) }
  }
}
