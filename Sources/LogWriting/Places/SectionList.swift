import Glibc
import Platform

/// One set of segments with its index, as the writer keeps it (`shm-layout.md` 5.1 to 5.3).
///
/// A segment's file is there before its line, and is removed after it. A line is added by one write, and
/// taken back by another; from time to time the index is written anew and put in the old one's place.
final class SectionList: SectionStore {
  private struct State: Sendable {
    /// The lines of the segments that are there, without a sign.
    var lines: [String] = []
    /// How many lines that take others back were added since the index was written anew.
    var removals = 0
    /// The index, open for adding to; nil before it is published, and after the end.
    var index: Int32?
    var isClosed = false
  }

  private let directory: WriterDirectory
  private let header: String
  private let permissions: UInt32
  private let state = Guarded(State())

  /// Makes the directory; there is no index in it before `publish`.
  init(_ name: String, in place: LogPlace, permissions: UInt32) throws(LogWriterError) {
    // Users who may read the directory's files must be able to reach them.
    let searchable = permissions | (permissions & 0o444) >> 2 | 0o700
    directory = try LogWriterError.wrapping { () throws(SystemError) in
      try place.directory.makeSubdirectory(name, permissions: searchable)
    }
    header = "# \(getpid()) \(place.birth)\n"
    self.permissions = permissions
  }

  deinit {
    if let index = state.withLock({ $0.index }) { Glibc.close(index) }
  }

  func allocate(
    _ label: SectionLabel, byteCount: Int, prepare: (UnsafeMutableRawPointer) -> Void
  ) throws(LogWriterError) -> SectionMemory {
    try label.validate()
    let whole = (byteCount + 7) & ~7
    let file = "_.\(label.kind).\(Self.randomDigits())"
    let segment = try LogWriterError.wrapping { () throws(SystemError) in
      try SharedFile(creating: file, in: directory, byteCount: whole, permissions: permissions)
    }
    unsafe prepare(segment.base)
    let line = "\(file) 0 \(whole) \(label.kind) \(label.ident)\n"
    do {
      try state.withLock { (state: inout State) throws(LogWriterError) in
        if state.isClosed { throw .closed(path: directory.path) }
        if let index = state.index { try append("+ " + line, to: index) }
        state.lines.append(line)
      }
    } catch {
      _ = directory.remove(file)
      throw error
    }
    return unsafe SectionMemory(base: segment.base, byteCount: whole, owner: segment, key: line)
  }

  func free(_ memory: SectionMemory) throws(LogWriterError) {
    try state.withLock { (state: inout State) throws(LogWriterError) in
      guard !state.isClosed, let place = state.lines.firstIndex(of: memory.key) else { return }
      state.lines.remove(at: place)
      if let index = state.index {
        if state.removals < 10 || state.removals * 2 < state.lines.count {
          try append("- " + memory.key, to: index)
          state.removals += 1
        } else {
          try rewrite(&state)
        }
      }
      _ = directory.remove(String(memory.key.prefix { $0 != " " }))
    }
  }

  /// Lets readers see the set, with all that was allocated by now.
  func publish() throws(LogWriterError) {
    try state.withLock { (state: inout State) throws(LogWriterError) in try rewrite(&state) }
  }

  func close() {
    state.withLock { state in
      state.isClosed = true
      if let index = state.index { Glibc.close(index) }
      state.index = nil
    }
  }

  // MARK: The index

  private func append(_ line: String, to index: Int32) throws(LogWriterError) {
    try LogWriterError.wrapping { () throws(SystemError) in
      let path = directory.path + "/" + LogPlace.indexName
      var status = stat()
      guard unsafe fstat(index, &status) == 0 else { throw SystemError(operation: "fstat", path: path) }
      do throws(SystemError) {
        try WriterDirectory.writeAll(Array(line.utf8), to: index, path: path)
      } catch {
        // Half a line would spoil the next.
        _ = ftruncate(index, status.st_size)
        throw error
      }
    }
  }

  private func rewrite(_ state: inout State) throws(LogWriterError) {
    let text = state.lines.reduce(into: header) { $0 += "+ " + $1 }
    try LogWriterError.wrapping { () throws(SystemError) in
      try directory.replace(
        LogPlace.indexName, with: Array(text.utf8), temporary: "_._.index.\(Self.randomDigits())",
        permissions: permissions)
    }
    let flags = O_WRONLY | O_APPEND | O_NOFOLLOW | O_CLOEXEC
    let opened = Int32(
      retryingOnInterrupt { unsafe Int(openat(directory.descriptor, LogPlace.indexName, flags)) })
    guard opened >= 0 else {
      throw .system(SystemError(operation: "open", path: directory.path + "/" + LogPlace.indexName))
    }
    if let old = state.index { Glibc.close(old) }
    state.index = opened
    state.removals = 0
  }

  private static func randomDigits() -> String {
    let digits = String(UInt64.random(in: .min ... .max), radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }
}
