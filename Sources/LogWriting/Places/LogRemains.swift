import CShims
import Glibc
import Platform
import SharedMemory
import VarnishLog

/// What a directory has of logs that were made before: the processes that wrote them, and when they were
/// made.
///
/// Only what can be read safely counts: regular files, opened without following a link, with the marks of a
/// version that names its process.
struct LogRemains {
  private let directory: WriterDirectory

  init(_ directory: WriterDirectory) { self.directory = directory }

  /// The process that writes a log here; nil if none does.
  func owner() throws(LogWriterError) -> Int32? {
    if let writer = indexWriter, ProcessStart.mayOwn(writer.pid, logOf: writer.birth) { return writer.pid }
    for name in [LogPlace.fileName, "_.vsl"] {
      guard let file = singleFile(name) else { continue }
      if let pid = file.masterPID, ProcessStart.mayOwn(pid, logOf: file.birth) { return pid }
      if file.isLocked { throw .inUse(path: directory.path, pid: file.masterPID) }
    }
    return nil
  }

  /// When the newest log that names a time was made; one that lies ahead doesn't count.
  var newestBirth: Int64 {
    let births = [indexWriter?.birth, singleFile(LogPlace.fileName)?.birth].compactMap { $0 }
    let now = Int64(time(nil))
    return births.filter { $0 <= now }.max() ?? 0
  }

  /// The process that wrote the manager's index; the worker's index tells nothing, for a child may outlive
  /// its master.
  private var indexWriter: LogIncarnation.Writer? {
    guard let set = try? directory.subdirectory(LogPlace.managerName),
      let bytes = contents(of: LogPlace.indexName, in: set, limit: InstanceIndex.byteCountMax)
    else { return nil }
    return InstanceIndex(bytes).writer
  }

  private struct SingleFile {
    let masterPID: Int32?
    let birth: Int64
    let isLocked: Bool
  }

  /// The head of a log in one file: 2.1 and 3.0 have the same in its beginning (`shm-layout.md` 2.1, 3.1).
  private func singleFile(_ name: String) -> SingleFile? {
    guard let file = open(name, in: directory) else { return nil }
    defer { close(file) }
    // Later versions have no process in the file, and older ones no lock.
    let isLocked = shim_try_lock_log(file) != 0 && errno == EWOULDBLOCK
    defer { if !isLocked { shim_unlock_log(file) } }
    var head = [UInt8](repeating: 0, count: 24)
    let count = retryingOnInterrupt { unsafe pread(file, &head, head.count, 0) }
    return unsafe head.withUnsafeBytes { head in
      let magic = unsafe head.load(as: UInt32.self)
      let isKnown = count == head.count && (magic == SectionFileLayout.magic || magic == 4_185_512_499)
      return unsafe SingleFile(
        masterPID: isKnown ? head.load(fromByteOffset: 16, as: Int32.self) : nil,
        birth: isKnown ? head.load(fromByteOffset: 8, as: Int64.self) : 0, isLocked: isLocked)
    }
  }

  private func open(_ name: String, in directory: WriterDirectory) -> Int32? {
    let flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC
    let file = Int32(retryingOnInterrupt { unsafe Int(openat(directory.descriptor, name, flags)) })
    guard file >= 0 else { return nil }
    var status = stat()
    guard unsafe fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      close(file)
      return nil
    }
    return file
  }

  private func contents(of name: String, in directory: WriterDirectory, limit: Int) -> [UInt8]? {
    guard let descriptor = open(name, in: directory) else { return nil }
    defer { close(descriptor) }
    return try? ReadOnlyFile(borrowing: descriptor, named: name).contents(limit: limit)
  }
}
