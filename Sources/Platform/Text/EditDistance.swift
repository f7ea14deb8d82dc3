/// The distance of a mistyped name from another.
package enum EditDistance {
  private static let byteCountMax = 64

  /// The number of bytes to insert, remove or replace; `Int.max` if the names are too long to be names, or if it
  /// is more than `limit`.
  package static func between(_ one: String, _ other: String, atMost limit: Int = .max) -> Int {
    let left = one.utf8
    let right = other.utf8
    guard left.count <= byteCountMax, right.count <= byteCountMax, abs(left.count - right.count) <= limit
    else { return .max }
    var row = Array(0...right.count)
    for (index, byte) in left.enumerated() {
      var diagonal = row[0]
      row[0] = index + 1
      var least = row[0]
      for (column, otherByte) in right.enumerated() {
        let replaced = diagonal + (byte == otherByte ? 0 : 1)
        diagonal = row[column + 1]
        row[column + 1] = min(replaced, diagonal + 1, row[column] + 1)
        least = min(least, row[column + 1])
      }
      // No later row has a smaller value.
      if least > limit { return .max }
    }
    return row[right.count] <= limit ? row[right.count] : .max
  }

  /// The known names that may have been meant: the nearest ones, in the order of `known`.
  package static func names(near name: String, among known: [String]) -> [String] {
    var near: [String] = []
    var least = max(1, name.utf8.count / 3)
    for candidate in known {
      let distance = between(name, candidate, atMost: least)
      guard distance <= least else { continue }
      if distance < least { near = [] }
      least = distance
      near.append(candidate)
    }
    return near
  }
}
