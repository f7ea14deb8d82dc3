import Glibc
@testable import Shipping
import Testing

/// The spool behaves like a simple queue, for any steps in any order.
@Suite struct SpoolModelTests {
  /// The value of an environment variable: `SPILLWAY_SPOOL_SCENARIOS` sets the number of scenarios,
  /// `SPILLWAY_SPOOL_SEED` the first seed.
  private static func number(_ variable: String, _ usual: UInt64) -> UInt64 {
    getenv(variable).flatMap { UInt64(String(cString: $0)) } ?? usual
  }

  @Test func whateverHappensTheSpoolIsAQueue() {
    let first = Self.number("SPILLWAY_SPOOL_SEED", 1)
    let count = Self.number("SPILLWAY_SPOOL_SCENARIOS", 300)
    for seed in first..<first + count {
      let scenario = SpoolScenario(seed: seed)
      guard Self.failure(of: scenario) != nil else { continue }
      let smallest = scenario.shrunk { Self.failure(of: $0) != nil }
      Issue.record("\(Self.failure(of: smallest).map { "\($0)" } ?? "")\n\(smallest)")
      return
    }
  }

  private static func failure(of scenario: SpoolScenario) -> (any Error)? {
    do {
      try SpoolScenarioRun.run(scenario)
      return nil
    } catch {
      return error
    }
  }
}
