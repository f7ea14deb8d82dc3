import VarnishLog

/// What the directories of a server since 5.2 hold, and what their indexes list (`shm-layout.md` 5).
struct SharedDirectories {
  /// The indexes, by the directories that they are in.
  private var indexes: [String: IndexListing] = [:]
  /// The sizes of files in bytes, by their paths.
  private var files: [String: Int] = [:]

  private static let filesMax = 20_000

  mutating func add(_ index: [UInt8], in directory: String) { indexes[directory] = IndexListing(index) }

  mutating func addFile(_ path: String, byteCount: Int) {
    guard files.count < Self.filesMax, Self.name(of: path).hasPrefix("_.") else { return }
    files[path] = byteCount
  }

  /// The sections in some directories, in the order of the directories.
  func sections(of directories: [(owner: String, path: String)]) -> [SharedSection] {
    directories.flatMap { owner, directory in
      guard let index = indexes[directory] else { return [SharedSection]() }
      return listed(index, owner, directory) + unlisted(index, owner, directory)
    }
  }

  /// The releases that write lines as a directory's index has them; nil if it has no lines.
  func releases(of directory: String) -> String? {
    switch indexes[directory]?.spelling {
    case .plain?: "5.2"
    case .placed?: "6.0 to 6.2"
    case .signed?: "6.0 to 7.2"
    case nil: nil
    }
  }

  /// How many lines of the directories' indexes list nothing.
  func unreadLines(of directories: [(owner: String, path: String)]) -> Int {
    directories.reduce(0) { $0 + (indexes[$1.path]?.unreadCount ?? 0) }
  }

  private func listed(_ index: IndexListing, _ owner: String, _ directory: String) -> [SharedSection] {
    index.lines.map { line in
      let (end, overflow) = line.offset.addingReportingOverflow(line.byteCount)
      let state: SharedSection.State =
        if line.isRemoved {
          .removed
        } else if let size = files[CapturedTree.path(line.fileName, in: directory)] {
          overflow || end > size ? .cut : .live
        } else {
          .missing
        }
      return SharedSection(
        owner: owner, file: line.fileName, kind: line.kind, type: "", name: line.name, offset: line.offset,
        byteCount: line.byteCount, state: state)
    }
  }

  private func unlisted(_ index: IndexListing, _ owner: String, _ directory: String) -> [SharedSection] {
    let known = Set(index.lines.lazy.filter { !$0.isRemoved }.map(\.fileName))
    let others = files.filter {
      CapturedTree.directory(of: $0.key) == directory && !CapturedTree.isIndex($0.key)
        && !known.contains(Self.name(of: $0.key))
    }
    return others.sorted { $0.key < $1.key }.map { path, byteCount in
      SharedSection(
        owner: owner, file: Self.name(of: path), kind: "", type: "", name: "", offset: 0,
        byteCount: byteCount, state: .unlisted)
    }
  }

  private static func name(of path: String) -> String {
    path.lastIndex(of: "/").map { String(path[path.index(after: $0)...]) } ?? path
  }
}
