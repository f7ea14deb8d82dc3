import Platform
import SharedMemory
public import VarnishLog

/// The layout of the records of a log since 4.0.
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

/// A binary log file, opened and recognised by its first bytes (`shm-layout.md` 7).
///
/// A file compressed with gzip or zstd is recognised as well, and is read as what it decodes to.
public struct LogFile: ~Copyable {
  /// What it holds.
  public let kind: LogFileKind
  package var input: LogInput
  /// Where its first record stands.
  let firstRecordOffset: Int

  /// The number of bytes in front of the first record.
  package static let magicByteCount = 4

  /// Opens a file by name; "-" is standard input.
  ///
  /// - Parameter numbering: that of the release that has written the file, if it is known; no other kind of
  ///   file is taken then.
  /// - Throws: `LogError` if it can't be opened, read or decoded, or is no log.
  public init(path: String, from numbering: TagNumbering? = nil) throws(LogError) {
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
    try self.init(LogInput(file), from: numbering)
  }

  /// Takes a log that was opened.
  ///
  /// - Parameter numbering: that of the release that has written the file, if it is known; no other kind of
  ///   file is taken then.
  /// - Throws: `LogError` if it can't be read or decoded, or is no log.
  init(_ input: consuming LogInput, from numbering: TagNumbering? = nil) throws(LogError) {
    var input = input
    let magic = try input.peek(Self.magicByteCount)
    guard magic.count == Self.magicByteCount else { throw input.fault ?? .readFailed(reason: "EOF") }
    let wanted = numbering.map(LogFileKind.init(of:))
    var kind = unsafe magic.withUnsafeBytes { unsafe LogFileProbe.markedKind($0) }
    if case .old? = wanted {
      kind = wanted
    } else if kind == nil {
      kind = unsafe try input.peek(LogFileProbe.byteCount).withUnsafeBytes { unsafe LogFileProbe.kind($0) }
    }
    guard let kind, wanted == nil || wanted == kind else { throw .notALog(path: input.path) }
    var offset = 0
    if case .old = kind {} else { offset = Self.magicByteCount }
    _ = try input.skip(offset)
    self.kind = kind
    firstRecordOffset = offset
    self.input = input
  }

  /// Opens a regular file, or a pipe, whose writer is waited for.
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
