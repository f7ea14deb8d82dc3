import Glibc
import Pipeline
import Shipping

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
      for place in places(of: output) {
        guard owners[place.identity] != nil else {
          owners[place.identity] = place.name
          continue
        }
        collisions.append(
          OutputCollision(
            index: index,
            error: UsageError(
              "--\(place.key): \(place.what) is another output's already: \(place.name)",
              inSettings: .init(
                place.key, "\"\(place.name)\"", hint: "\(place.what) is another output's already"))))
      }
    }
    return collisions
  }

  private struct Place {
    let key: String
    let name: String
    let what: String
    let identity: String
  }

  /// What an output needs for itself alone.
  private static func places(of output: OutputConfiguration) -> [Place] {
    var places: [Place] = []
    switch output.target {
    case .standardOutput:
      places.append(
        Place(key: "standard-output", name: "-", what: "standard output", identity: "standard output"))
    case .file(let file):
      let path = resolved(file.path)
      if path == resolved("/dev/stdout") {
        places.append(
          Place(key: "file", name: file.path, what: "standard output", identity: "standard output"))
      } else if !isDevice(path) {
        places.append(Place(key: "file", name: file.path, what: "this file", identity: path))
      }
      if let link = file.link {
        // The link itself, not where it leads now.
        places.append(Place(key: "symlink", name: link, what: "this path", identity: resolvedParent(link)))
      }
    case .command, .socket, .descriptor: break
    }
    if let directory = output.spoolDirectory {
      places.append(
        Place(
          key: "spool-dir", name: directory, what: "this directory", identity: "spool " + resolved(directory))
      )
    }
    return places
  }

  /// Where a path leads, as far as it exists.
  private static func resolved(_ path: String) -> String {
    guard let real = realpath(path, nil) else { return resolvedParent(path) }
    defer { free(real) }
    return String(cString: real)
  }

  private static func resolvedParent(_ path: String) -> String {
    guard let slash = path.lastIndex(of: "/"), path != "/" else { return path }
    let (parent, name) = (path[..<slash], path[slash...].drop { $0 == "/" })
    guard !name.isEmpty, !parent.isEmpty else { return path }
    let directory = resolved(String(parent))
    return directory == "/" ? "/\(name)" : "\(directory)/\(name)"
  }

  /// What takes lines from several, as /dev/null does.
  private static func isDevice(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFCHR
  }
}
