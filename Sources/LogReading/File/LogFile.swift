import Platform
import SharedMemory
public import VarnishLog

/// The layout of the records of a log since 4.0.
public enum LogLayout: Sendable {
  case narrow
  case wide
}

/// A binary log file, opened and recognised by its first bytes (`shm-layout.md` 7).
///
/// A file compressed with gzip or zstd is recognised as well, and everything is about what it holds.
public struct LogFile: ~Copyable {
  /// What it holds.
  public let kind: LogFileKind
  package var input: LogInput
  /// Where its first record stands.
  let firstRecordOffset: Int
  /// What was read already, from there on.
  let beginning: [UInt8]

  /// The number of bytes in front of the first record.
  package static let magicByteCount = 4

  /// Opens a file by name; "-" is standard input.
  ///
  /// - Parameter numbering: of the release that has written it, if that is known; nothing else is taken then.
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
    let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: LogFileProbe.byteCount, alignment: 4)
    defer { unsafe bytes.deallocate() }
    var filled = 0
    while filled < Self.magicByteCount {
      let room = unsafe UnsafeMutableRawBufferPointer(rebasing: bytes[filled..<Self.magicByteCount])
      let count = unsafe try file.readLog(into: room)
      if count == 0 { break }
      filled += count
    }
    var input = unsafe try LogInput(file, beginning: UnsafeRawBufferPointer(rebasing: bytes[..<filled]))
    if input.isDecoded {
      filled = 0
      unsafe try Self.fill(bytes, &filled, to: Self.magicByteCount, from: &input)
    }
    guard filled == Self.magicByteCount else { throw .readFailed(reason: "EOF") }
    let wanted = numbering.map(LogFileKind.init(of:))
    var kind = unsafe LogFileProbe.markedKind(UnsafeRawBufferPointer(bytes))
    if case .old? = wanted {
      kind = wanted
    } else if kind == nil {
      unsafe try Self.fill(bytes, &filled, to: bytes.count, from: &input)
      kind = unsafe LogFileProbe.kind(UnsafeRawBufferPointer(rebasing: bytes[..<filled]))
    }
    guard let kind, wanted == nil || wanted == kind else { throw .notALog(path: path) }
    self.kind = kind
    if case .old = kind {
      firstRecordOffset = 0
      beginning = unsafe Array(bytes[..<filled])
    } else {
      firstRecordOffset = Self.magicByteCount
      beginning = []
    }
    self.input = input
  }

  /// Reads on until so much is there, or the end.
  private static func fill(
    _ bytes: UnsafeMutableRawBufferPointer, _ filled: inout Int, to wanted: Int, from input: inout LogInput
  ) throws(LogError) {
    while filled < wanted {
      let room = unsafe UnsafeMutableRawBufferPointer(rebasing: bytes[filled..<wanted])
      guard let count = unsafe try input.read(into: room) else { return }
      filled += count
    }
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
