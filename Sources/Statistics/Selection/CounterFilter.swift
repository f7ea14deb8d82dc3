/// Which counters are shown, by patterns for their names.
public struct CounterFilter: Sendable {
  /// What a pattern is for.
  public enum Rule: Sendable {
    /// What it matches is shown.
    case include(Glob)
    /// What it matches isn't.
    case exclude(Glob)
  }

  /// Which of several patterns counts for a name that they match.
  public enum Precedence: Sendable {
    /// The first one, since 6.5.
    case firstMatch
    /// One that excludes, before 6.5.
    case exclusion
  }

  /// The patterns, in the order in which they were given.
  public var rules: [Rule]
  /// Which of them counts.
  public var precedence: Precedence

  /// Takes patterns; without any, everything is shown.
  public init(_ rules: [Rule] = [], _ precedence: Precedence = .firstMatch) {
    self.rules = rules
    self.precedence = precedence
  }

  /// Whether a counter of this name is shown; what no pattern matches is, unless some say what to include.
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
