/// An option's value that cannot be understood; its description is one line for the user.
public struct OptionValueError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The value as the user has typed it.
  public let value: String
  /// The value that was expected, or the reason why this one was refused.
  public let problem: String

  /// One line: the value and what is wrong with it.
  public var description: String { "\"\(value)\" \(problem)" }

  /// Refuses a value.
  package init(value: some StringProtocol, problem: String) {
    self.value = String(value)
    self.problem = problem
  }
}
