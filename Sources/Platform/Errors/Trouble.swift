/// A failure that may pass, of which only news is reported: each cause once, until there is another, and the
/// end once.
package struct Trouble<Cause: Equatable> {
  /// The present cause; nil if there is no failure.
  package private(set) var cause: Cause?
  private var sinceNanoseconds: Int64 = 0

  /// No failure.
  package init() {}

  /// Whether the last attempt has failed.
  package var isThere: Bool { cause != nil }

  /// Notes a failure.
  ///
  /// - Returns: whether its cause is new, so that it should be reported.
  package mutating func begin(_ cause: Cause, at now: @autoclosure () -> Moment = .now()) -> Bool {
    if self.cause == nil { sinceNanoseconds = now().steadyNanoseconds }
    defer { self.cause = cause }
    return self.cause != cause
  }

  /// Notes that the operation works.
  ///
  /// - Returns: for how many seconds it has failed, at least one; nil if it hasn't.
  @discardableResult
  package mutating func end(at now: @autoclosure () -> Moment = .now()) -> Int64? {
    guard cause != nil else { return nil }
    cause = nil
    return max(1, (now().steadyNanoseconds - sinceNanoseconds) / 1_000_000_000)
  }
}
