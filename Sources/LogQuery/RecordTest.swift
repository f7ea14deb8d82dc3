import Glibc
import VarnishLog

/// A comparison in plain memory, as it is put to records.
@safe struct RecordTest {
  // Invariant: the pointers, those of the criterion too, lead into the query's pool of constants and to its
  // patterns, which it keeps as long as its tests and never changes.

  /// The condition that the selected text must meet.
  @safe enum Criterion {
    case exists
    case integer(Relation, Int64)
    case decimal(Relation, Double)
    case text(UnsafeRawBufferPointer, isEqual: Bool)
    case caselessText(UnsafeRawBufferPointer, isEqual: Bool)
    case pattern(OpaquePointer, needsCopy: Bool, isMatch: Bool)
  }

  /// The comparison's place in the expression.
  let node: Int32
  let levels: ClosedRange<Int>
  /// In lower case.
  let prefix: UnsafeRawBufferPointer?
  let field: Int
  let criterion: Criterion

  /// Whether a record passes the test; its tag must be one of the comparison's.
  @inline(__always)
  func passes(
    _ payload: LogBytes, level: Int, rules: EvaluationRules, matcher: borrowing PatternMatcher
  ) -> Bool {
    guard levels.contains(level) else { return false }
    // The last byte is a NUL; any other byte in its place isn't compared either.
    var text = payload.prefix(payload.count - 1)
    if let prefix = unsafe prefix {
      guard let rest = unsafe TextSelection.text(behind: prefix, in: text) else { return false }
      text = rest
    }
    if field > 0 {
      // Fields end at the first NUL, wherever it is; without a NUL, the last byte belongs to the text, too.
      let rest = unsafe payload.dropFirst(text.start - payload.start)
      let string = rest.firstIndex(of: 0).map(rest.prefix) ?? rest
      guard let part = TextSelection.field(field, of: string, allowsQuotes: rules.hasQuotedFields) else {
        return false
      }
      text = part
    }
    switch criterion {
    case .exists: return true
    case .integer(let relation, let operand):
      guard let number = rules.numbers.integer(text) else { return false }
      return relation.holds(number, operand)
    case .decimal(let relation, let operand):
      guard let number = rules.numbers.decimal(text) else { return false }
      return relation.holds(number, operand)
    case .text(let operand, let isEqual):
      return unsafe Self.equals(text, operand) == isEqual
    case .caselessText(let operand, let isEqual):
      return unsafe (text.count == operand.count && text.hasPrefix(lowercased: operand)) == isEqual
    case .pattern(let code, let needsCopy, let isMatch):
      return unsafe matcher.matches(code, needsCopy: needsCopy, text) == isMatch
    }
  }

  @inline(__always)
  private static func equals(_ text: LogBytes, _ operand: UnsafeRawBufferPointer) -> Bool {
    guard text.count == operand.count else { return false }
    guard let start = operand.baseAddress else { return true }
    return unsafe memcmp(text.start, start, operand.count) == 0
  }
}

/// The rules that matter when a query is evaluated.
struct EvaluationRules {
  let numbers: NumberRules
  let hasQuotedFields: Bool
}
