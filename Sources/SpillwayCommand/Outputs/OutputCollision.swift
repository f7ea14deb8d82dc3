import Pipeline

/// Two outputs that would be in each other's way.
struct OutputCollision {
  /// The later of the two.
  let index: Int
  /// What is wrong, for its settings.
  let error: UsageError

  /// All that there are.
  static func all(in outputs: [OutputConfiguration]) -> [OutputCollision] {
    var owners: [String: String] = [:]
    var collisions: [OutputCollision] = []
    for (index, output) in outputs.enumerated() {
      for place in output.places where place.isExclusive {
        guard owners[place.identity] != nil else {
          owners[place.identity] = place.name
          continue
        }
        let (key, what) = words(place)
        collisions.append(
          OutputCollision(
            index: index,
            error: UsageError(
              "--\(key): \(what) is another output's already: \(place.name)",
              inSettings: .init(key, "\"\(place.name)\"", hint: "\(what) is another output's already"))))
      }
    }
    return collisions
  }

  /// The setting that names a place, and what that is.
  private static func words(_ place: OutputPlace) -> (key: String, what: String) {
    switch place.kind {
    case .standardOutput: (place.name == "-" ? "standard-output" : "file", "standard output")
    case .file: ("file", "this file")
    case .link: ("symlink", "this path")
    case .spoolDirectory: ("spool-dir", "this directory")
    case .command: ("exec", "this command")
    case .receiver: ("socket", "this address")
    }
  }
}
