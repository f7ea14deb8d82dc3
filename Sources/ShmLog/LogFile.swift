import SharedMemory

/// The layout of the records in a file or segment, found from its marker.
public enum LogLayout: Sendable {
  case narrow
  case wide
}

/// A binary log file, opened and recognised by its first four bytes (`shm-layout.md` 7).
public struct LogFile: ~Copyable {
  /// How its records lie in memory.
  public let layout: LogLayout
  let file: ReadOnlyFile
  /// Whether reading it never has to wait for somebody to write.
  let isRegular: Bool

  /// The number of bytes in front of the first record.
  static let magicByteCount = 4

  /// Opens a file by name; "-" is standard input.
  ///
  /// - Throws: `LogError` if it can't be opened or read, or is no log.
  public init(path: String) throws(LogError) {
    let file: ReadOnlyFile
    if path == "-" {
      file = ReadOnlyFile(borrowing: 0, named: "-")
    } else {
      do {
        file = try ReadOnlyFile(path: path)
      } catch {
        throw .cannotOpen(path: path, reason: error.reason)
      }
    }
    switch try Self.readMagic(of: file) {
    case NarrowRecords.fileMagic: layout = .narrow
    case WideRecords.fileMagic: layout = .wide
    default: throw .notALog(path: path)
    }
    isRegular = Self.isRegular(file)
    self.file = file
  }

  private static func isRegular(_ file: borrowing ReadOnlyFile) -> Bool {
    do {
      return try file.identity().isRegularFile
    } catch {
      return false
    }
  }

  private static func readMagic(of file: borrowing ReadOnlyFile) throws(LogError) -> UInt32 {
    let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: magicByteCount, alignment: 4)
    defer { bytes.deallocate() }
    var filled = 0
    while filled < bytes.count {
      let count: Int
      do throws(SystemError) {
        count = try file.read(into: UnsafeMutableRawBufferPointer(rebasing: bytes[filled...]))
      } catch {
        throw .readFailed(reason: error.reason)
      }
      guard count > 0 else { throw .readFailed(reason: "EOF") }
      filled += count
    }
    return bytes.load(as: UInt32.self)
  }
}
