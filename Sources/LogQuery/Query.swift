public import Transactions
public import VarnishLog

/// A condition that groups of transactions meet or don't, in the log's query language
/// (`query-language.md`).
///
/// Every comparison is evaluated on the records that it is about, until the result is certain. Regular
/// expressions come last, if the result still depends on them. The records are those that were picked for the
/// query while the transactions were walked over.
public struct Query: ~Copyable {
  /// The records that the query needs.
  public let wish: PickWish

  private let truths: Truths
  /// The tests that cost little; `patternTests` are the regular expressions.
  private let plainTests: TestTable
  private let patternTests: TestTable
  private let vxidTests: [(node: Int32, relation: Relation, number: Int64)]
  private let rules: EvaluationRules
  private let matcher = PatternMatcher()
  /// Keeps the compiled expressions that the tests point to.
  private let patterns: [Pattern]
  /// Holds the bytes that the tests' prefixes and operands point to.
  private let constants: ConstantPool

  /// Compiles a query for a log.
  ///
  /// - Parameters:
  ///   - expressions: one or more queries, in the order of the command line. Up to 6.3 the last one counts,
  ///     later they are alternatives.
  ///   - caseless: whether the case of letters makes no difference.
  ///   - version: the release whose language it is.
  ///   - isStrict: whether syntax that this release doesn't know is refused.
  ///   - tags: the log's numbering.
  /// - Throws: `QueryError` for the first fault in the joined text.
  public init(
    _ expressions: [String], caseless: Bool, version: VarnishVersion, isStrict: Bool, tags: TagTable
  ) throws(QueryError) {
    try self.init(
      bytes: expressions.map { Array($0.utf8) }, caseless: caseless, version: version,
      isStrict: isStrict, tags: tags)
  }

  /// Compiles a query from bytes that need not be UTF-8, such as those of a `QueryFile`; otherwise as from
  /// strings.
  public init(
    bytes expressions: [[UInt8]], caseless: Bool, version: VarnishVersion, isStrict: Bool,
    tags: TagTable
  ) throws(QueryError) {
    let rules = QueryRules(version: version, isStrict: isStrict)
    let input =
      rules.hasLines
      ? Array(expressions.joined(separator: [UInt8(ascii: "\n")])) : expressions.last ?? []
    let parsed = try QueryParser.parse(input, rules: rules, isCaseless: caseless, tags: tags)
    self.rules = EvaluationRules(numbers: rules.numbers, hasQuotedFields: rules.hasQuotedFields)
    truths = Truths(parsed.steps)
    var wish = PickWish()
    var plainTests: [(RecordTest, TagSet)] = []
    var patternTests: [(RecordTest, TagSet)] = []
    var vxidTests: [(node: Int32, relation: Relation, number: Int64)] = []
    var patterns: [Pattern] = []
    let constants = ConstantPool()
    for (comparison, node) in zip(parsed.comparisons, truths.leaves) {
      if let prefix = comparison.prefix {
        for tag in RecordHeader.tagNumbers where comparison.tags.contains(tag) {
          wish.want(tag, beginningWith: [prefix + [UInt8(ascii: ":")]])
        }
      } else {
        wish.want(comparison.tags)
      }
      func test(_ criterion: RecordTest.Criterion) -> (RecordTest, TagSet) {
        let test = unsafe RecordTest(
          node: node, levels: comparison.levels, prefix: comparison.prefix.map(constants.keep),
          field: comparison.field, criterion: criterion)
        return (test, comparison.tags)
      }
      switch comparison.criterion {
      case .exists: plainTests.append(test(.exists))
      case .integer(let relation, let number): plainTests.append(test(.integer(relation, number)))
      case .decimal(let relation, let number): plainTests.append(test(.decimal(relation, number)))
      case .text(let text, let isEqual):
        unsafe plainTests.append(
          caseless
            ? test(.caselessText(constants.keep(text.map(ASCII.lowercased)), isEqual: isEqual))
            : test(.text(constants.keep(text), isEqual: isEqual)))
      case .pattern(let pattern, let isMatch):
        patterns.append(pattern)
        unsafe patternTests.append(
          test(.pattern(pattern.code, needsCopy: pattern.needsCopy, isMatch: isMatch)))
      case .vxid(let relation, let number): vxidTests.append((node, relation, number))
      }
    }
    self.wish = wish
    self.plainTests = TestTable(plainTests)
    self.patternTests = TestTable(patternTests)
    self.vxidTests = vxidTests
    self.patterns = patterns
    self.constants = constants
  }

  deinit {
    truths.deallocate()
    plainTests.deallocate()
    patternTests.deallocate()
  }

  /// Whether a group meets the condition.
  @_specialize(exported:true,where Layout == NarrowRecords)
  @_specialize(exported:true,where Layout == WideRecords)
  public mutating func matches<Layout: RecordLayout>(_ group: TransactionGroup<Layout>) -> Bool {
    truths.reset()
    for test in vxidTests {
      truths.settle(test.node, holds(test.relation, test.number, group) ? .yes : .no)
    }
    apply(plainTests) { query, tests in
      for index in 0..<group.count { guard query.put(group[index], to: tests) else { return } }
    }
    apply(patternTests) { query, tests in
      for index in 0..<group.count { guard query.put(group[index], to: tests) else { return } }
    }
    return truths.result == .yes
  }

  /// Whether a transaction, alone in its group, meets the condition.
  @_specialize(exported:true,where Layout == NarrowRecords)
  @_specialize(exported:true,where Layout == WideRecords)
  public mutating func matches<Layout: RecordLayout>(_ transaction: Transaction<Layout>) -> Bool {
    truths.reset()
    for test in vxidTests {
      let holds = test.relation.holds(Int64(bitPattern: transaction.vxid), test.number)
      truths.settle(test.node, holds ? .yes : .no)
    }
    apply(plainTests) { _ = $0.put(transaction, to: $1) }
    apply(patternTests) { _ = $0.put(transaction, to: $1) }
    return truths.result == .yes
  }

  private func holds<Layout: RecordLayout>(
    _ relation: Relation, _ number: Int64, _ group: TransactionGroup<Layout>
  ) -> Bool {
    for index in 0..<group.count
    where relation.holds(Int64(bitPattern: group[index].vxid), number) { return true }
    return false
  }

  // The methods below change nothing of the query itself. They are `mutating` because a method that only
  // borrows `self` is given a copy of all of it, 70 instructions a call.

  /// Evaluates tests on all records; a test that no record has passed has failed.
  @inline(__always)
  private mutating func apply(_ tests: TestTable, to all: (inout Query, TestTable) -> Void) {
    guard truths.result == .unknown, !tests.isEmpty else { return }
    all(&self, tests)
    for index in 0..<tests.count { truths.settle(tests.node(at: index), .no) }
  }

  /// Evaluates tests on the records of a transaction.
  ///
  /// - Returns: whether the query's result is still unknown.
  @inline(__always)
  private mutating func put<Layout: RecordLayout>(
    _ transaction: Transaction<Layout>, to tests: TestTable
  ) -> Bool {
    transaction.forEachPicked { put($0, to: tests, level: transaction.level) }
  }

  /// Evaluates on a record the tests for its tag.
  ///
  /// - Returns: whether the query's result is still unknown.
  @inline(__always)
  private mutating func put<Layout: RecordLayout>(
    _ record: Record<Layout>, to tests: TestTable, level: Int
  ) -> Bool {
    for place in tests.places(of: record.tag) {
      let test = unsafe tests[place]
      guard unsafe truths.matters(test.pointee.node),
        unsafe test.pointee.passes(record.payload, level: level, rules: rules, matcher: matcher)
      else { continue }
      unsafe truths.settle(test.pointee.node, .yes)
      if truths.result != .unknown { return false }
    }
    return true
  }
}
