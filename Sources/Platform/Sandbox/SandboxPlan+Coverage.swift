/// Compares a plan that was applied, to which nothing can be added any more, with a new one.
extension SandboxPlan {
  /// What another plan needs and this one doesn't allow, each as half a sentence; for a reload, which can
  /// then be refused with an explanation instead of failing at the first file.
  ///
  /// Compares paths as they are written: resolve links before.
  package func shortcomings(for other: SandboxPlan) -> [String] {
    var found: [String] = []
    for path in other.readable where !Self.isBeneath(path, readable + executable + writableDirectories) {
      found.append("\(path) can't be read")
    }
    for path in other.writableDirectories where !Self.isBeneath(path, writableDirectories) {
      found.append("\(path) can't be written")
    }
    for path in other.writableFiles where !Self.isBeneath(path, writableFiles + writableDirectories) {
      found.append("\(path) can't be written")
    }
    for path in other.executable where !Self.isBeneath(path, executable) {
      found.append(path == "/" ? "commands can't be executed" : "\(path) can't be executed")
    }
    if other.connects, !connects { found.append("connections can't be made") }
    if other.reachesAbstractSockets, !reachesAbstractSockets {
      found.append("abstract sockets can't be reached")
    }
    return found
  }

  private static func isBeneath(_ path: String, _ places: [String]) -> Bool {
    let names = path.split(separator: "/")
    // A path with `..` may lead anywhere.
    guard path.hasPrefix("/"), !names.contains("..") else { return places.contains(path) }
    return places.contains { $0.hasPrefix("/") && names.starts(with: $0.split(separator: "/")) }
  }
}
