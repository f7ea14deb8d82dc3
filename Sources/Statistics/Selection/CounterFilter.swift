/// Which counters are shown, by patterns for their names.
public struct CounterFilter: Sendable {
  /// What a pattern is for.
  public enum Rule: Sendable {
    /// Counters that it matches are shown.
    case include(Glob)
    /// Counters that it matches aren't shown.
    case exclude(Glob)
  }

  /// Which of several patterns counts for a name that they match.
  public enum Precedence: Sendable {
    /// The first one, since 6.5.
    case firstMatch
    /// A pattern that excludes, before 6.5.
    case exclusion
  }

  /// The patterns, in the order in which they were given.
  public var rules: [Rule]
  /// Which pattern counts if several match.
  public var precedence: Precedence

  /// Takes patterns; without any, everything is shown.
  public init(_ rules: [Rule] = [], _ precedence: Precedence = .firstMatch) {
    self.rules = rules
    self.precedence = precedence
  }

  /// Whether a counter of this name is shown; one that no pattern matches is, unless there are patterns that
  /// include.
  public func shows(_ name: String) -> Bool {
    var hasInclusion = false
    var isIncluded = false
    for rule in rules {
      switch rule {
      case .include(let glob):
        hasInclusion = true
        guard !isIncluded, glob.matches(name) else { continue }
        if precedence == .firstMatch { return true }
        isIncluded = true
      case .exclude(let glob):
        if glob.matches(name) { return false }
      }
    }
    return isIncluded || !hasInclusion
  }
}
