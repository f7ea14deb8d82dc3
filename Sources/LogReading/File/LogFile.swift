import Platform
import SharedMemory
import VarnishLog

/// The layout of the records in a file or segment, found from its marker.
public enum LogLayout: Sendable {
  case narrow
  case wide

  /// The layout of the records in a file that begins with these bytes; nil if it is no log with a marker.
  init?(fileMagic bytes: [UInt8]) {
    guard bytes.count >= LogFile.magicByteCount else { return nil }
    switch unsafe bytes.withUnsafeBytes({ unsafe $0.loadUnaligned(as: UInt32.self) }) {
    case NarrowRecords.fileMagic: self = .narrow
    case WideRecords.fileMagic: self = .wide
    default: return nil
    }
  }
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
    try self.init(LogInput(file))
  }

  /// Takes a log that was opened.
  ///
  /// - Throws: `LogError` if it can't be read or decoded, or is no log.
  init(_ input: consuming LogInput) throws(LogError) {
    var input = input
    let magic = try input.peek(Self.magicByteCount)
    guard magic.count == Self.magicByteCount else { throw .readFailed(reason: "EOF") }
    guard let layout = LogLayout(fileMagic: magic) else { throw .notALog(path: input.path) }
    _ = try input.skip(Self.magicByteCount)
    self.layout = layout
    self.input = input
  }

  /// Opens what a log may come from: a file, or a pipe, which is waited for.
  static func open(_ path: String) throws(SystemError) -> ReadOnlyFile {
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
