import Platform
import Compression
import SharedMemory
import VarnishLog

/// The bytes of a log file, one behind the other: as they are, or decoded if it is compressed.
package struct LogInput: ~Copyable {
  let file: ReadOnlyFile
  /// Whether reading it never has to wait for somebody to write.
  let isRegular: Bool
  /// Which file it is.
  let incarnation: LogIncarnation
  private var decoding: DecodedInput?

  /// Takes a file whose first bytes have been read already.
  ///
  /// - Throws: `LogError` if there is no memory to decode it.
  init(_ file: consuming ReadOnlyFile, beginning: UnsafeRawBufferPointer) throws(LogError) {
    (isRegular, incarnation) = Self.identify(file)
    if let format = unsafe CompressionFormat(beginning: beginning.bytes) {
      decoding = unsafe try DecodedInput(format, beginning: beginning, path: file.path)
    }
    self.file = file
  }

  private static func identify(_ file: borrowing ReadOnlyFile) -> (isRegular: Bool, LogIncarnation) {
    do {
      let state = try file.state()
      return (state.isRegularFile, LogIncarnation(state.identity))
    } catch {
      return (false, LogIncarnation(device: 0, inode: 0))
    }
  }

  /// Whether it is compressed.
  var isDecoded: Bool { decoding != nil }

  /// Whether the next read returns at once.
  var isReady: Bool {
    if isRegular { return true }
    switch decoding {
    case .some(let decoding): if decoding.isReady { return true }
    case nil: break
    }
    return file.isReadable
  }

  /// Reads what there is, up to the buffer's size; nil at the end.
  ///
  /// What comes out of a compressed pipe may be nothing yet.
  ///
  /// - Throws: `LogError.readFailed`, or `.undecodable` after everything in front of the fault.
  mutating func read(into buffer: UnsafeMutableRawBufferPointer) throws(LogError) -> Int? {
    if let count = unsafe try decoding?.read(from: file, waits: isRegular, into: buffer) { return count }
    if isDecoded { return nil }
    let count = unsafe try file.readLog(into: buffer)
    return count > 0 ? count : nil
  }
}

extension ReadOnlyFile {
  /// Reads up to the buffer's size from the present position; 0 at the end.
  func readLog(into buffer: UnsafeMutableRawBufferPointer) throws(LogError) -> Int {
    do {
      return unsafe try read(into: buffer)
    } catch {
      throw .readFailed(reason: error.reason)
    }
  }
}
