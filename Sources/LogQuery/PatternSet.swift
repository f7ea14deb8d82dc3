public import VarnishLog

/// Regular expressions, compiled, with what it takes to try them.
public struct PatternSet: ~Copyable {
  private var patterns: [Pattern] = []
  private let matcher = PatternMatcher()

  /// Why an expression can't be used.
  public struct Fault: Error, Sendable {
    /// Where in it, in bytes.
    public let offset: Int
    /// What the engine says.
    public let reason: String
  }

  /// No expressions.
  public init() {}

  /// How many there are.
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

  /// Whether a text matches one of them; as in queries, what the engine gives up on does.
  public func matches(_ index: Int, _ text: LogBytes) -> Bool {
    let pattern = patterns[index]
    return unsafe matcher.matches(pattern.code, needsCopy: pattern.needsCopy, text)
  }
}
