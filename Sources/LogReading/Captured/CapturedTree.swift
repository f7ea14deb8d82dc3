import Glibc
import Platform
import SharedMemory
import VarnishLog

/// The files of a copied working directory that matter, from a directory or a tar archive, and which of them is the
/// log.
struct CapturedTree {
  /// A file that may be a log.
  struct File {
    /// Its path within the tree.
    let path: String
    let byteCount: Int
    /// Where its content begins in the archive, or in the file that keeps parts of an archive.
    var offset = 0
    var isSparse = false
  }

  private(set) var files: [File] = []
  /// The indexes, by the directories that they are in.
  private(set) var indexes: [String: InstanceIndex] = [:]
  /// What the indexes list, and which files there are.
  private var shared = SharedDirectories()
  /// How many files there are, those of no interest included.
  private(set) var fileCount = 0

  /// The log in a tree.
  struct Log {
    let file: File
    /// The log's part of the file, as the index says; nil if the log is all of the file.
    let part: Range<Int>?
    /// The index that lists the log.
    let index: InstanceIndex?
    /// The manager's index beside it.
    var manager: InstanceIndex?
    /// The sections that both indexes list.
    var sections: [SharedSection] = []
    /// How many of their lines list nothing, and the releases that write such indexes.
    var unreadLines = 0, releases: String?
  }

  private static let filesMax = 100_000
  private static let indexBytesMax = 64 << 20

  /// Whether a file may be a log, by its name.
  static func mayBeLog(_ path: String) -> Bool {
    let name = path.split(separator: "/").last ?? ""
    return name.hasPrefix("_.Log.") || name == "_.vsl" || name == "_.vsm" || name.hasPrefix("_.vsm.")
  }

  static func isIndex(_ path: String) -> Bool { path.split(separator: "/").last == "_.index" }

  mutating func add(_ file: File) throws(LogError) {
    guard files.count < Self.filesMax else {
      throw .unclear(path: file.path, problem: "one of more than \(Self.filesMax) files that may be logs")
    }
    files.append(file)
  }

  mutating func add(_ index: [UInt8], at path: String) {
    indexes[Self.directory(of: path)] = InstanceIndex(index)
    shared.add(index, in: Self.directory(of: path))
  }

  mutating func countFile(_ path: String, byteCount: Int) {
    fileCount += 1
    shared.addFile(path, byteCount: byteCount)
  }

  /// The most bytes that the indexes of an archive may have together.
  var indexBytesMax: Int { Self.indexBytesMax }

  static func directory(of path: String) -> String {
    path.lastIndex(of: "/").map { String(path[..<$0]) } ?? ""
  }

  // MARK: Choosing the log

  /// The only log in the tree, or in the part of it that `inside` names.
  ///
  /// - Parameters:
  ///   - path: the tree's, for messages.
  ///   - inside: the directory to look in, or the log's file itself; empty for all of the tree.
  /// - Throws: `LogError.unclear` if there is no log, or more than one.
  func log(_ path: String, inside: String) throws(LogError) -> Log {
    if let file = files.first(where: { $0.path == inside }) { return beside(log(of: file)) }
    let logs = logs(inside: inside)
    let place = inside.isEmpty ? path : "\(path)/\(inside)"
    if logs.isEmpty, let missing = missing(inside: inside) {
      throw .unclear(path: place, problem: "its index lists \(missing) as the log, which isn't there")
    }
    guard let log = logs.first else {
      throw .unclear(
        path: place,
        problem: "holds no log: none of its \(fileCount) files is called _.Log.…, _.vsm or _.vsl")
    }
    guard logs.count == 1 else {
      let names = logs.prefix(8).map { "\(path)/\($0.file.path)" }.joined(separator: ", ")
      throw .unclear(
        path: place, problem: "holds \(logs.count) logs; name one: \(names)\(logs.count > 8 ? ", …" : "")")
    }
    return beside(log)
  }

  /// Adds to a log the manager's index, and what both indexes list.
  private func beside(_ log: Log) -> Log {
    guard log.index != nil else { return log }
    var log = log
    let worker = Self.directory(of: log.file.path)
    var directories = [(owner: "worker", path: worker)]
    if worker == "_.vsm_child" || worker.hasSuffix("/_.vsm_child") {
      let manager = Self.path("_.vsm_mgt", in: Self.directory(of: worker))
      log.manager = indexes[manager]
      directories.insert(("manager", manager), at: 0)
    }
    log.sections = shared.sections(of: directories)
    log.unreadLines = shared.unreadLines(of: directories)
    log.releases = shared.releases(of: worker)
    return log
  }

  /// The logs that indexes name, and in directories without one, the files that look like logs.
  private func logs(inside: String) -> [Log] {
    var logs: [Log] = []
    for file in files where Self.isInside(file.path, inside) {
      let log = log(of: file)
      // Beside the log that an index names, other logs are left over from before.
      if log.index == nil || log.part != nil { logs.append(log) }
    }
    return logs
  }

  private func log(of file: File) -> Log {
    let directory = Self.directory(of: file.path)
    guard let index = indexes[directory], let segment = index.log else {
      return Log(file: file, part: nil, index: nil)
    }
    guard file.path == Self.path(segment.fileName, in: directory) else {
      let isThere = files.contains { $0.path == Self.path(segment.fileName, in: directory) }
      return Log(file: file, part: nil, index: isThere ? index : nil)
    }
    let (end, overflow) = segment.offset.addingReportingOverflow(segment.byteCount)
    return Log(file: file, part: segment.offset..<(overflow ? .max : end), index: index)
  }

  private func missing(inside: String) -> String? {
    for (directory, index) in indexes where Self.isInside(directory, inside) {
      if let segment = index.log { return Self.path(segment.fileName, in: directory) }
    }
    return nil
  }

  static func path(_ name: String, in directory: String) -> String {
    directory.isEmpty ? name : "\(directory)/\(name)"
  }

  private static func isInside(_ path: String, _ directory: String) -> Bool {
    directory.isEmpty || path == directory || path.hasPrefix(directory + "/")
  }
}

// MARK: - A directory

extension CapturedTree {
  private static let depthMax = 8
  /// The most files that are looked at.
  ///
  /// A working directory has some dozens; looking through a home directory, given by mistake, would take minutes.
  private static let entriesMax = 20_000

  /// Looks through a directory, following no links.
  ///
  /// - Throws: `LogError` if it, or an index in it, can't be read.
  init(directory: borrowing ReadOnlyFile) throws(LogError) {
    try add(directory, "", depth: 0)
  }

  private mutating func add(
    _ directory: borrowing ReadOnlyFile, _ prefix: String, depth: Int
  ) throws(LogError) {
    for name in Self.entries(of: prefix.isEmpty ? directory.path : "\(directory.path)/\(prefix)") {
      let path = prefix.isEmpty ? name : "\(prefix)/\(name)"
      guard let state = try? directory.state(of: path) else { continue }
      if state.isDirectory {
        if depth < Self.depthMax { try add(directory, path, depth: depth + 1) }
        continue
      }
      countFile(path, byteCount: state.isRegularFile ? state.byteCount : 0)
      guard fileCount <= Self.entriesMax else {
        throw .unclear(
          path: directory.path,
          problem: "holds more than \(Self.entriesMax) files; name the directory that the log is in")
      }
      guard state.isRegularFile else { continue }
      if Self.isIndex(path) {
        add(try Self.contents(of: path, in: directory), at: path)
      } else if Self.mayBeLog(path) {
        try add(File(path: path, byteCount: state.byteCount))
      }
    }
  }

  private static func contents(of path: String, in directory: borrowing ReadOnlyFile) throws(LogError)
    -> [UInt8]
  {
    do {
      return try ReadOnlyFile(regular: path, in: directory).contents(limit: InstanceIndex.byteCountMax)
    } catch {
      throw .cannotOpen(error)
    }
  }

  private static func entries(of path: String) -> [String] {
    guard let stream = unsafe opendir(path) else { return [] }
    defer { unsafe closedir(stream) }
    var names: [String] = []
    while names.count <= entriesMax, let entry = unsafe readdir(stream) {
      let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) {
        unsafe String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name != ".", name != ".." { names.append(name) }
    }
    return names.sorted()
  }
}

// MARK: - A tar archive

extension CapturedTree {
  /// Looks through an archive.
  ///
  /// - Parameters:
  ///   - inside: the path of a file that is taken for a log whatever its name is.
  ///   - kept: takes the logs' content if the archive can be read only once; nil if the archive can be
  ///     mapped.
  /// - Throws: `LogError` if it is damaged in front of what is to be found.
  init(_ tar: inout TarReader, inside: String, kept: inout KeptFile?) throws(LogError) {
    let isKept = kept != nil
    var indexBytes = 0
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: isKept ? 256 << 10 : 0, alignment: 16)
    defer { unsafe buffer.deallocate() }
    while let member = try tar.next() {
      countFile(member.path, byteCount: member.byteCount)
      if Self.isIndex(member.path) {
        indexBytes += member.byteCount
        guard indexBytes <= indexBytesMax, let bytes = try tar.contents(limit: indexBytesMax) else {
          continue
        }
        add(bytes, at: member.path)
        continue
      }
      guard Self.mayBeLog(member.path) || member.path == inside else { continue }
      var file = File(
        path: member.path, byteCount: member.byteCount, offset: member.offset, isSparse: member.isSparse)
      if isKept {
        try kept?.align(for: member.path)
        let offset = kept?.byteCount ?? 0
        while let count = unsafe try tar.read(into: buffer) {
          unsafe try kept?.append(UnsafeRawBufferPointer(rebasing: buffer[..<count]), of: member.path)
        }
        file = File(
          path: member.path, byteCount: (kept?.byteCount ?? 0) - offset, offset: offset,
          isSparse: member.isSparse)
      }
      try add(file)
    }
  }
}
