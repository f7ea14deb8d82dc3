/// Searches for the smallest scenario that fails.
enum Shrinking {
  static func failure(of scenario: Scenario, _ plant: PlantedFault? = nil) -> String? {
    do {
      try Simulation.play(scenario, plant)
      return nil
    } catch {
      return "\(error)"
    }
  }

  /// Leaves out steps and outputs as long as the scenario fails without them.
  static func shrink(
    _ scenario: Scenario, _ failure: String, _ plant: PlantedFault? = nil
  ) -> (Scenario, String) {
    var (best, reason) = (scenario, failure)
    func fails(_ candidate: Scenario) -> Bool {
      guard let failure = Self.failure(of: candidate, plant) else { return false }
      (best, reason) = (candidate, failure)
      return true
    }
    var hasChanged = true
    while hasChanged {
      hasChanged = false
      var length = max(1, best.steps.count / 2)
      while length > 0 {
        var start = 0
        while start < best.steps.count {
          var candidate = best
          candidate.steps.removeSubrange(start..<min(start + length, best.steps.count))
          if fails(candidate) { hasChanged = true } else { start += length }
        }
        length /= 2
      }
      for index in best.outputs.indices.reversed() where best.outputs.count > 1 {
        var candidate = best
        candidate.outputs.remove(at: index)
        if fails(candidate) { hasChanged = true }
      }
    }
    return (best, reason)
  }
}
