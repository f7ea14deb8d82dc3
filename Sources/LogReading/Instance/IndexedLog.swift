import Glibc
import Platform
import SharedMemory
import VarnishLog

/// The log of a server since 5.2, in one of two directories with an index each (`shm-layout.md` 5).
///
/// A restarted worker or manager replaces files under the same names; the index files' identities show it.
/// Two system calls tell whether anything has changed, and only the two indexes and the log itself are ever
/// opened.
struct IndexedLog: ~Copyable {
  private var manager = IndexFile(name: "_.vsm_mgt/_.index")
  private var worker = IndexFile(name: "_.vsm_child/_.index")

  /// Which log it is.
  struct Location: Equatable {
    let writer: LogIncarnation.Writer
    let segment: InstanceIndex.Segment
  }

  /// Looks at the indexes anew.
  ///
  /// - Throws: `SystemError` if one is there and can't be read.
  mutating func refresh(in directory: borrowing ReadOnlyFile) throws(SystemError) {
    try manager.refresh(in: directory)
    if manager.index?.writer == nil {
      worker.forget()
    } else {
      try worker.refresh(in: directory)
    }
  }

  /// Whether there is a manager's index, even an unfinished one.
  var isThere: Bool { manager.index != nil }

  /// Whether a manager has published itself.
  var hasManager: Bool { manager.index?.writer != nil }

  /// The manager's process ID if this process has ended, as in a copy of the directory; nil otherwise.
  var deadManager: Int32? {
    guard let writer = manager.index?.writer else { return nil }
    return ProcessStart.mayOwn(writer.pid, logOf: writer.birth) ? nil : writer.pid
  }

  /// Whether the manager runs.
  var writerLife: WriterLife {
    guard let pid = manager.index?.writer?.pid else { return .unknown }
    return deadManager == nil ? .runs : .ended(WriterLife.words(for: pid))
  }

  /// Why there is no log, as far as the files tell.
  func missingLog(in path: String) -> String {
    let index = "\(path)/\(worker.name)"
    guard let writer = worker.index?.writer else { return "there is no \(index)" }
    return "\(index), of process \(writer.pid), lists no log"
  }

  /// The log that the worker publishes now; nil while there is no worker.
  var log: Location? {
    guard let index = worker.index, let writer = index.writer, let segment = index.log else {
      return nil
    }
    return Location(writer: writer, segment: segment)
  }

  /// Maps a log.
  ///
  /// - Returns: nil if the server hasn't finished making it.
  /// - Throws: `LogError` if it can't be mapped or is no log.
  func attach(
    _ location: Location, in directory: borrowing ReadOnlyFile, start: LogStart, stopsAtTail: Bool
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
    let place = RingPlace(
      path: directory.path + "/" + name,
      incarnation: LogIncarnation(file.identity, writer: location.writer),
      range: 0..<mapping.byteCount, mappedFrom: location.segment.offset)
    return try LiveRing(mapping, at: place, start: start, stopsAtTail: stopsAtTail)
  }
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
      // The file was removed between the two calls: that is no fault.
      if error.code == ENOENT { return }
      throw error
    }
    index = InstanceIndex(try file.contents(limit: InstanceIndex.byteCountMax))
    identity = now
  }
}
