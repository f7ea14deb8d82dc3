import Platform
import SharedMemory
import VarnishLog

/// The layout of the records in a file or segment, found from its marker.
public enum LogLayout: Sendable {
  case narrow
  case wide
}

/// A binary log file, opened and recognised by its first four bytes (`shm-layout.md` 7).
///
/// A file compressed with gzip or zstd is recognised as well, and everything is about what it holds.
public struct LogFile: ~Copyable {
  /// How its records lie in memory.
  public let layout: LogLayout
  package var input: LogInput

  /// The number of bytes in front of the first record.
  package static let magicByteCount = 4

  /// Opens a file by name; "-" is standard input.
  ///
  /// - Throws: `LogError` if it can't be opened, read or decoded, or is no log.
  public init(path: String) throws(LogError) {
    let file: ReadOnlyFile
    if path == "-" {
      file = ReadOnlyFile(borrowing: 0, named: "-")
    } else {
      do {
        file = try Self.open(path)
      } catch {
        throw .cannotOpen(error)
      }
    }
    let magic = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.magicByteCount, alignment: 4)
    defer { unsafe magic.deallocate() }
    var filled = 0
    while filled < magic.count {
      let count = unsafe try file.readLog(into: UnsafeMutableRawBufferPointer(rebasing: magic[filled...]))
      if count == 0 { break }
      filled += count
    }
    var input = unsafe try LogInput(file, beginning: UnsafeRawBufferPointer(rebasing: magic[..<filled]))
    if input.isDecoded {
      filled = 0
      while filled < magic.count {
        let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: magic[filled...])
        guard let count = unsafe try input.read(into: rest) else { break }
        filled += count
      }
    }
    guard filled == magic.count else { throw .readFailed(reason: "EOF") }
    switch unsafe magic.load(as: UInt32.self) {
    case NarrowRecords.fileMagic: layout = .narrow
    case WideRecords.fileMagic: layout = .wide
    default: throw .notALog(path: path)
    }
    self.input = input
  }

  /// Opens what a log may come from: a file, or a pipe, which is waited for.
  private static func open(_ path: String) throws(SystemError) -> ReadOnlyFile {
    if case .success(let identity) = FileState.of(path: path) { try check(identity, path) }
    let file = try ReadOnlyFile(path: path)
    try check(file.state(), path)
    return file
  }

  private static func check(_ identity: FileState, _ path: String) throws(SystemError) {
    if identity.isRegularFile || identity.isPipe { return }
    throw SystemError(
      operation: "open", path: path, problem: "it is a \(FileKind.name(ofMode: identity.mode)), not a file")
  }
}
