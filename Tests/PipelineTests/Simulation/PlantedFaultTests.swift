import Glibc
import Testing

#if DEBUG
  /// The simulation finds planted faults.
  struct PlantedFaultTests {
    @Test(arguments: PlantedFault.all)
    func `a planted fault is found`(_ plant: PlantedFault) {
      for seed: UInt64 in 1...600 {
        let scenario = Scenario(seed: seed)
        guard let failure = Shrinking.failure(of: scenario, plant), Shrinking.failure(of: scenario) == nil
        else {
          continue
        }
        if getenv("SPILLWAY_SIMULATION_SHOW") != nil {
          print("\(plant.name): seed \(seed): \(failure.prefix(200))")
        }
        return
      }
      Issue.record("\(plant.name): isn't found")
    }
  }
#endif
