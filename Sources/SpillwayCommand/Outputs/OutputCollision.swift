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
      for resource in output.resources where resource.isExclusive {
        guard owners[resource.identity] != nil else {
          owners[resource.identity] = resource.name
          continue
        }
        let (key, what) = words(resource)
        collisions.append(
          OutputCollision(
            index: index,
            error: UsageError(
              "--\(key): \(what) is another output's already: \(resource.name)",
              inSettings: .init(key, "\"\(resource.name)\"", hint: "\(what) is another output's already"))))
      }
    }
    return collisions
  }

  /// The setting that names it, and what it is.
  private static func words(_ resource: OutputResource) -> (key: String, what: String) {
    switch resource.kind {
    case .standardOutput: (resource.name == "-" ? "standard-output" : "file", "standard output")
    case .file: ("file", "this file")
    case .link: ("symlink", "this path")
    case .spoolDirectory: ("spool-dir", "this directory")
    case .command: ("exec", "this command")
    case .receiver: ("socket", "this address")
    case .observer: ("metrics", "this place")
    }
  }
}
