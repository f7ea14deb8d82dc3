import Glibc
import TestSupport
import Testing
import VarnishLog

/// Compares the grouper with a slow and plain model of it, over the same random logs.
struct GroupingModelTests {
  /// How many logs there are; the environment variable `SPILLWAY_GROUPING_CASES` asks for more.
  static let caseCount = getenv("SPILLWAY_GROUPING_CASES").flatMap { Int(String(cString: $0)) } ?? 1000

  @Test func `any log gives the groups that the description says`() {
    var generator = ScenarioGenerator(SeededGenerator(seed: 7))
    var groupCount = 0
    for number in 1...Self.caseCount {
      let scenario = generator.next()
      let expected = GroupingOutcome(modelOf: scenario)
      groupCount += expected.groupCount
      guard let failure = Self.difference(scenario, expected) else { continue }
      let smallest = scenario.shrunk { Self.difference($0, GroupingOutcome(modelOf: $0)) != nil }
      Issue.record(
        """
        log \(number) of \(generator.random):
        \(smallest)
        \(Self.difference(smallest, GroupingOutcome(modelOf: smallest)) ?? failure)
        """)
      return
    }
    #expect(groupCount > Self.caseCount, "the logs must be such that groups come of them")
  }

  /// The first difference between the grouper and the model.
  private static func difference(
    _ scenario: GroupingScenario, _ expected: GroupingOutcome
  ) -> String? {
    for picks in [false, true] {
      let actual =
        scenario.layout == .twoWord
        ? GroupingOutcome(of: scenario, NarrowRecords.self, picks: picks)
        : GroupingOutcome(of: scenario, WideRecords.self, picks: picks)
      if let difference = actual.difference(from: expected) {
        return (picks ? "with what was picked, " : "") + difference
      }
    }
    return nil
  }
}
