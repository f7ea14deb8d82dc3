import Glibc
import Platform
import TestSupport
import Testing

/// Whole simulated runs with all that can happen to them, made from seeds.
struct SimulationTests {
  /// How many seeds are tried; `SPILLWAY_SIMULATION_SEEDS` overrides it.
  private static var seedCount: Int {
    getenv("SPILLWAY_SIMULATION_SEEDS").flatMap { Int(String(cString: $0)) } ?? 150
  }

  private static var firstSeed: UInt64 {
    getenv("SPILLWAY_SIMULATION_FIRST").flatMap { UInt64(String(cString: $0)) } ?? 1
  }

  @Test(arguments: Scenario.found.indices)
  func `what was found once stays mended`(_ index: Int) {
    let (name, scenario) = Scenario.found[index]
    let failure = Shrinking.failure(of: scenario)
    #expect(failure == nil, "\(name)")
  }

  @Test func `a seed decides everything`() throws {
    for seed: UInt64 in 1...10 {
      let scenario = Scenario(seed: seed)
      #expect(try Simulation.play(scenario) == Simulation.play(scenario), "\(scenario)")
    }
  }

  @Test func `outputs are exact after kills and restarts, or what is missing is said`() {
    var killed: [FaultPoint: Int] = [:]
    defer {
      if getenv("SPILLWAY_SIMULATION_SHOW") != nil {
        for point in FaultPoint.allCases { print("killed \(killed[point] ?? 0) times at \(point.rawValue)") }
      }
    }
    for seed in Self.firstSeed..<Self.firstSeed + UInt64(Self.seedCount) {
      let scenario = Scenario(seed: seed)
      let failure: String
      do {
        for point in try Simulation.play(scenario).killed { killed[point, default: 0] += 1 }
        continue
      } catch {
        failure = "\(error)"
      }
      let (smallest, reason) = Shrinking.shrink(scenario, failure)
      if getenv("SPILLWAY_SIMULATION_SHOW") != nil {
        print("=== the smallest")
        _ = Shrinking.failure(of: smallest)
      }
      Issue.record("\(reason)\n\(smallest)\nfirst: \(failure)")
      if getenv("SPILLWAY_SIMULATION_ALL") == nil { return }
    }
  }
}
