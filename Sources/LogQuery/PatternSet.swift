public import VarnishLog

/// Compiled regular expressions, with the memory that matching needs.
public struct PatternSet: ~Copyable {
  private var patterns: [Pattern] = []
  private let matcher = PatternMatcher()

  /// Why an expression can't be used.
  public struct Fault: Error, Sendable {
    /// Where the fault is in the expression, in bytes.
    public let offset: Int
    /// What the engine says.
    public let reason: String
  }

  /// No expressions.
  public init() {}

  /// The number of expressions.
  public var count: Int { patterns.count }

  /// Compiles an expression.
  ///
  /// - Returns: its index.
  public mutating func add(_ expression: [UInt8], caseless: Bool) throws(Fault) -> Int {
    do throws(Pattern.Fault) {
      patterns.append(try Pattern(expression, caseless: caseless))
    } catch {
      throw Fault(offset: error.offset, reason: error.reason)
    }
    return patterns.count - 1
  }

  /// Whether a text matches the expression at an index; as in queries, a text that the engine gives up on
  /// does.
  public func matches(_ index: Int, _ text: LogBytes) -> Bool {
    let pattern = patterns[index]
    return unsafe matcher.matches(pattern.code, needsCopy: pattern.needsCopy, text)
  }
}
