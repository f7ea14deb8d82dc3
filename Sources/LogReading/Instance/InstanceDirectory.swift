import Glibc
public import Platform
import SharedMemory
import VarnishLog

/// The directory in which a running server keeps its shared memory (`shm-layout.md` 5), and what changes
/// in it.
///
/// A restarted worker or manager replaces files under the same names; the index files' identities tell.
/// Three system calls look whether anything has changed, and only the two indexes and the log itself are
/// ever opened.
public struct InstanceDirectory: ~Copyable {
  /// The directory's name.
  public let path: String
  private let directory: ReadOnlyFile
  private let identity: FileIdentity
  private var manager = IndexFile(name: "_.vsm_mgt/_.index")
  private var worker = IndexFile(name: "_.vsm_child/_.index")

  /// Opens an instance's directory.
  ///
  /// - Throws: `SystemError` if it can't be opened or is no directory.
  public init(path: String) throws(SystemError) {
    let directory = try ReadOnlyFile(directory: path)
    identity = try directory.state().identity
    self.path = path
    self.directory = directory
  }

  /// Looks at the directory anew.
  ///
  /// - Returns: false if the directory itself was removed or replaced and must be opened again by name.
  /// - Throws: `SystemError` if an index is there and can't be read.
  public mutating func refresh() throws(SystemError) -> Bool {
    guard case .success(let now) = FileState.of(path: path), now.identity == identity else {
      return false
    }
    try manager.refresh(in: directory)
    if manager.index?.writer == nil {
      worker.forget()
    } else {
      try worker.refresh(in: directory)
    }
    return true
  }

  /// Whether a manager has published itself here.
  public var hasManager: Bool { manager.index?.writer != nil }

  /// The number of the manager's process if it doesn't run any more, as in a copy of the directory.
  public var deadManager: Int32? {
    guard let writer = manager.index?.writer else { return nil }
    return ProcessStart.mayOwn(writer.pid, logOf: writer.birth) ? nil : writer.pid
  }

  /// Why there is no log, as far as the files tell.
  public var missingLog: String {
    let index = "\(path)/\(worker.name)"
    guard let writer = worker.index?.writer else { return "there is no \(index)" }
    return "\(index), of process \(writer.pid), lists no log"
  }

  /// The log that the worker publishes now; nil while there is no worker.
  public var log: LogLocation? {
    guard let index = worker.index, let writer = index.writer, let segment = index.log else {
      return nil
    }
    return LogLocation(writer: writer, segment: segment)
  }

  /// Maps a log, read-only, and finds out how its records lie.
  ///
  /// - Returns: nil if the server hasn't finished making it.
  /// - Throws: `LogError` if it can't be mapped or is no log.
  public func attach(
    _ location: LogLocation, start: LogStart, stopsAtTail: Bool
  ) throws(LogError) -> LiveRing? {
    let name = "_.vsm_child/" + location.segment.fileName
    let mapping: ReadOnlyMapping
    let file: FileState
    do throws(SystemError) {
      let log = try ReadOnlyFile(regular: name, in: directory)
      file = try log.state()
      mapping = try ReadOnlyMapping(
        log, offset: location.segment.offset, byteCount: location.segment.byteCount)
    } catch {
      throw .system(error)
    }
    return try LiveRing(
      mapping, path: path + "/" + name,
      incarnation: LogIncarnation(file.identity, writer: location.writer),
      start: start, stopsAtTail: stopsAtTail)
  }
}

/// Which log of an instance it is: another worker's log is another one, whatever its file's name.
public struct LogLocation: Equatable, Sendable {
  let writer: LogIncarnation.Writer
  let segment: InstanceIndex.Segment
}

/// One index file and what was last read from it.
private struct IndexFile {
  let name: String
  private var identity: FileState?
  private(set) var index: InstanceIndex?

  init(name: String) { self.name = name }

  mutating func forget() {
    identity = nil
    index = nil
  }

  mutating func refresh(in directory: borrowing ReadOnlyFile) throws(SystemError) {
    let file: ReadOnlyFile
    let now: FileState
    do {
      guard let found = try directory.state(of: name) else {
        forget()
        return
      }
      guard found != identity else { return }
      now = found
      file = try ReadOnlyFile(regular: name, in: directory)
    } catch {
      forget()
      // Gone between the look and the opening: that is a state, not a fault.
      if error.code == ENOENT { return }
      throw error
    }
    index = InstanceIndex(try file.contents(limit: InstanceIndex.byteCountMax))
    identity = now
  }
}
