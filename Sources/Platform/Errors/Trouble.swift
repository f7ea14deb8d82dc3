/// Something that doesn't work at present, of which only what is new is said: what is wrong, once until something
/// else is wrong, and once that it is over.
package struct Trouble<Cause: Equatable> {
  /// What is wrong; nil if nothing is.
  package private(set) var cause: Cause?
  private var sinceNanoseconds: Int64 = 0

  /// Nothing is wrong.
  package init() {}

  /// Whether it didn't work when it was last tried.
  package var isThere: Bool { cause != nil }

  /// Notes what is wrong.
  ///
  /// - Returns: whether that is new, and should be said.
  package mutating func begin(_ cause: Cause, at now: @autoclosure () -> Moment = .now()) -> Bool {
    if self.cause == nil { sinceNanoseconds = now().steadyNanoseconds }
    defer { self.cause = cause }
    return self.cause != cause
  }

  /// Notes that it works.
  ///
  /// - Returns: for how many seconds it didn't, at least one; nil if it did.
  @discardableResult
  package mutating func end(at now: @autoclosure () -> Moment = .now()) -> Int64? {
    guard cause != nil else { return nil }
    cause = nil
    return max(1, (now().steadyNanoseconds - sinceNanoseconds) / 1_000_000_000)
  }
}
