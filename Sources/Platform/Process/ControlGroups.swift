/// Limits of the control groups that this process is in, by both versions of the interface.
///
/// A group's limit binds the groups below it as well, so the lowest limit from the process's own group up to
/// the mounted root is the one that counts. In a container the mounted root is often the container's own
/// group.
package struct ControlGroups: Sendable {
  /// The directory that stands for the system's root; a different one in tests.
  private let root: String

  /// Reads the files below a root directory.
  package init(root: String = "") { self.root = root }

  /// The memory limit in bytes; nil if there is none.
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

  /// The mounted hierarchies that control memory.
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

  /// The directories of a group and of all groups above it, as far as they are mounted.
  private func directories(of hierarchy: Hierarchy, _ path: String) -> [String] {
    var relative = path
    if hierarchy.group != "/" {
      // A group that isn't below the mounted one can't be seen; then the mounted one counts.
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

  /// The number in a file; nil if there is none, or if it stands for no limit.
  private func limit(_ path: String) -> Int? {
    guard let text = SmallFile.text(path), let bytes = Int(text.prefix { $0.isNumber }) else { return nil }
    return bytes < 1 << 60 ? bytes : nil
  }
}

extension StringProtocol where SubSequence == Substring {
  /// The pieces between the occurrences of an ASCII character; comparing bytes takes a twentieth of the time
  /// that comparing characters does.
  fileprivate func parts(
    between separator: Unicode.Scalar, maxSplits: Int = .max, omittingEmpty: Bool = true
  ) -> [Substring] {
    utf8.split(
      separator: UInt8(ascii: separator), maxSplits: maxSplits, omittingEmptySubsequences: omittingEmpty
    )
    .map { self[$0.startIndex..<$0.endIndex] }
  }
}
