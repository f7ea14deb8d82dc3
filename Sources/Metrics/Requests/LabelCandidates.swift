/// Finds the frequent values among any number of values, in little memory.
///
/// A value's hash selects a group of places, in which it may be counted; the newest values of a group come
/// first. If all places are taken, the value replaces the oldest value that has occurred once; if there is
/// none, it reduces the smallest count in the group by one. So a value has occurred at least as often as it
/// was counted, and values that occur once displace only each other.
struct LabelCandidates: Sendable {
  private struct Place {
    var hash = 0
    var count = 0
  }

  /// The places of all groups; empty until the first value comes.
  private var places: [Place] = []

  /// The number of occurrences from which a value is frequent.
  static let countMin = 10
  private static let groupSize = 8
  private static let groupCount = 128

  /// Counts an occurrence of a value, and returns whether the value is frequent now; if so, its count begins
  /// anew.
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
