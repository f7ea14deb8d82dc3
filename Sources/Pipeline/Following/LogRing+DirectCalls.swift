import LogReading
import VarnishLog

extension LogRing {
  /// Names the methods of a ring that the inner loop calls through `LogSource`; this function is never
  /// called.
  ///
  /// The compiler learns which types a method of another module is compiled for (`_specialize`) where this
  /// module names the method of the type. Where a module knows the method from the protocol alone, each call
  /// goes through a comparison of types, which takes 4 % of a live reader's time.
  mutating func nameDirectCalls() throws(LogError) -> Bool {
    if case .idle = try next() { return false }
    return isIntact
  }
}
