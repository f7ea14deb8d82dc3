/// Finds out which values come often, among any number of others, in little memory.
///
/// A value has a few places where it may be counted, the newest of those that share them first. If all are taken, it takes
/// that of the oldest one that has come once; if there is none, it wears down the one of least count. So a value has come at
/// least as often as was counted, and those that come once displace only one another.
struct LabelCandidates: Sendable {
  private struct Place {
    var hash = 0
    var count = 0
  }

  /// None until the first value comes.
  private var places: [Place] = []

  /// How often a value comes until it is one that comes often.
  static let countMin = 10
  private static let groupSize = 8
  private static let groupCount = 128

  /// Whether a value comes often, of which this is the next time; then it is counted no more.
  mutating func isFrequent(_ hash: Int) -> Bool {
    if places.isEmpty { places = [Place](repeating: Place(), count: Self.groupSize * Self.groupCount) }
    let first = (hash >> 32) % Self.groupCount * Self.groupSize
    var least = first
    for place in first..<first + Self.groupSize {
      if places[place].count > 0, places[place].hash == hash {
        places[place].count += 1
        guard places[place].count >= Self.countMin else { return false }
        places[place].count = 0
        return true
      }
      if places[place].count <= places[least].count { least = place }
    }
    if places[least].count > 1 {
      places[least].count -= 1
    } else {
      for place in (first..<least).reversed() { places[place + 1] = places[place] }
      places[first] = Place(hash: hash, count: 1)
    }
    return false
  }
}
