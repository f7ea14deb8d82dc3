import Pipeline

/// Two outputs that use the same resource, such as a file, of which only one may have it.
struct OutputCollision {
  /// The index of the later of the two outputs.
  let index: Int
  /// The error to report for the later output.
  let error: UsageError

  /// All collisions among outputs.
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

  /// The setting that names a resource, and what the resource is called in messages.
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
