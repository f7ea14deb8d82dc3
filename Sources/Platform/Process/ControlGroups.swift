/// What the control groups that this process is in let it have, by both versions of the interface.
///
/// A group's limit binds what is below it as well, so the least on the way from the process's own group up to the
/// mounted root is what counts. In a container the root that is mounted is often the container's own group.
package struct ControlGroups: Sendable {
  /// A directory of the system's root; another one in tests.
  private let root: String

  /// Looks below a directory.
  package init(root: String = "") { self.root = root }

  /// The most memory; nil if there is no limit.
  package var memoryBytesMax: Int? {
    let memberships = SmallFile.text(root + "/proc/self/cgroup").map(Self.memberships) ?? []
    return hierarchies.flatMap { hierarchy in
      let path = memberships.first { $0.controllers == hierarchy.controllers }?.path ?? "/"
      return directories(of: hierarchy, path).flatMap { directory in
        hierarchy.limitFiles.compactMap { limit(directory + "/" + $0) }
      }
    }.min()
  }

  private struct Hierarchy {
    /// `memory` in the first version, empty in the second.
    let controllers: String
    /// Which group is mounted, and where.
    let group: String, mountPoint: String

    var limitFiles: [String] {
      controllers.isEmpty ? ["memory.max", "memory.high"] : ["memory.limit_in_bytes"]
    }
  }

  /// The hierarchies that have to do with memory and are mounted somewhere.
  private var hierarchies: [Hierarchy] {
    guard let mounts = SmallFile.text(root + "/proc/self/mountinfo") else { return [] }
    // A line is: number, parent, device, root, mount point, options, other fields, "-", type, source, options.
    return mounts.parts(between: "\n").compactMap { line in
      let fields = line.parts(between: " ")
      guard fields.count >= 10, let dash = fields.firstIndex(of: "-"), fields.count > dash + 3 else {
        return nil
      }
      let controllers: String
      switch fields[dash + 1] {
      case "cgroup2": controllers = ""
      case "cgroup" where fields[dash + 3].parts(between: ",").contains("memory"): controllers = "memory"
      default: return nil
      }
      return Hierarchy(controllers: controllers, group: String(fields[3]), mountPoint: String(fields[4]))
    }
  }

  /// The groups of this process: a line is `number:controllers:path`.
  private static func memberships(_ text: String) -> [(controllers: String, path: String)] {
    text.parts(between: "\n").compactMap { line in
      let fields = line.parts(between: ":", maxSplits: 2, omittingEmpty: false)
      guard fields.count == 3 else { return nil }
      if fields[1].isEmpty { return ("", String(fields[2])) }
      return fields[1].parts(between: ",").contains("memory") ? ("memory", String(fields[2])) : nil
    }
  }

  /// The directories of a group and all above it, as far as they are mounted.
  private func directories(of hierarchy: Hierarchy, _ path: String) -> [String] {
    var relative = path
    if hierarchy.group != "/" {
      // A group that isn't below the mounted one can't be seen; the mounted one is what is left.
      relative = path.hasPrefix(hierarchy.group) ? String(path.dropFirst(hierarchy.group.count)) : "/"
    }
    var names = relative.split(separator: "/").map(String.init)
    if names.contains("..") { names = [] }
    var directory = root + hierarchy.mountPoint
    return [directory]
      + names.map { name in
        directory += "/" + name
        return directory
      }
  }

  /// The number in a file; nil if there is none, or one that stands for no limit.
  private func limit(_ path: String) -> Int? {
    guard let text = SmallFile.text(path), let bytes = Int(text.prefix { $0.isNumber }) else { return nil }
    return bytes < 1 << 60 ? bytes : nil
  }
}

extension StringProtocol where SubSequence == Substring {
  /// The pieces between the places where a character of ASCII stands; looking at bytes takes a twentieth of the time that
  /// looking at characters does.
  fileprivate func parts(
    between separator: Unicode.Scalar, maxSplits: Int = .max, omittingEmpty: Bool = true
  ) -> [Substring] {
    utf8.split(
      separator: UInt8(ascii: separator), maxSplits: maxSplits, omittingEmptySubsequences: omittingEmpty
    )
    .map { self[$0.startIndex..<$0.endIndex] }
  }
}
