import Glibc
import Platform
import Shipping

/// Something that an output writes to, or that keeps its waiting entries.
package struct OutputResource: Sendable, Equatable {
  /// What kind of thing it is.
  package enum Kind: Sendable {
    case standardOutput
    case file
    /// A symbolic link to the current file.
    case link
    case spoolDirectory
    case command
    case receiver
    /// Something that an observer uses exclusively.
    case observer
  }

  /// What kind of thing it is.
  package let kind: Kind
  /// What the configuration calls it.
  package let name: String
  /// A text that is equal for two resources that are the same.
  package let identity: String

  /// Whether two outputs can't use the resource at the same time.
  package var isExclusive: Bool {
    switch kind {
    case .standardOutput, .file, .link, .spoolDirectory, .observer: true
    // A command is started for each output, and a receiver takes several connections.
    case .command, .receiver: false
    }
  }
}

extension OutputConfiguration {
  /// What this output writes to, with links followed as they are now.
  package var resources: [OutputResource] {
    var resources: [OutputResource] = []
    switch target {
    case .standardOutput: resources.append(Self.standardOutput("-"))
    case .file(let file):
      let path = Self.resolved(file.path)
      if path == Self.resolved("/dev/stdout") {
        resources.append(Self.standardOutput(file.path))
      } else if !Self.isDevice(path) {
        resources.append(OutputResource(kind: .file, name: file.path, identity: path))
      }
      if let link = file.link {
        // The link itself, not the file that it leads to now.
        resources.append(OutputResource(kind: .link, name: link, identity: Self.resolvedParent(link)))
      }
    case .command(let command, _):
      resources.append(OutputResource(kind: .command, name: command, identity: "command " + command))
    case .socket(let receiver, _):
      let name = "\(receiver.address)"
      resources.append(OutputResource(kind: .receiver, name: name, identity: "receiver " + name))
    case .descriptor(let number, let name):
      resources.append(OutputResource(kind: .receiver, name: name, identity: "descriptor \(number)"))
    case .observer(let target):
      for name in target.observer.exclusiveNames {
        resources.append(OutputResource(kind: .observer, name: name, identity: "observer " + name))
      }
    }
    if let directory = spoolDirectory {
      resources.append(
        OutputResource(
          kind: .spoolDirectory, name: directory, identity: "spool " + Self.resolved(directory)))
    }
    return resources
  }

  private static func standardOutput(_ name: String) -> OutputResource {
    OutputResource(kind: .standardOutput, name: name, identity: "standard output")
  }

  /// Where a path leads, as far as it exists.
  private static func resolved(_ path: String) -> String {
    SystemCalls.real.realPath(path) ?? resolvedParent(path)
  }

  private static func resolvedParent(_ path: String) -> String {
    guard let slash = path.lastIndex(of: "/"), path != "/" else { return path }
    let (parent, name) = (path[..<slash], path[slash...].drop { $0 == "/" })
    guard !name.isEmpty, !parent.isEmpty else { return path }
    let directory = resolved(String(parent))
    return directory == "/" ? "/\(name)" : "\(directory)/\(name)"
  }

  /// Whether the path is a character device such as /dev/null, which takes lines from several outputs.
  private static func isDevice(_ path: String) -> Bool {
    var status = stat()
    return unsafe stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFCHR
  }
}
