/// An option's value that cannot be understood; its description is one line for the user.
public struct OptionValueError: Error, Sendable, Equatable, CustomStringConvertible {
  /// What was typed.
  public let value: String
  /// What would have been understood, or why this was not.
  public let problem: String

  /// One line: the value and what is wrong with it.
  public var description: String { "\"\(value)\" \(problem)" }

  /// Refuses a value.
  package init(value: some StringProtocol, problem: String) {
    self.value = String(value)
    self.problem = problem
  }
}
