import Compression
import SharedMemory

/// What a compressed file holds, decoded as it is read.
@safe struct DecodedInput: ~Copyable {
  private var decompressor: Decompressor
  private let buffer: UnsafeMutableRawBufferPointer
  /// Which of the bytes read are still to be decoded.
  private var unread: Range<Int>
  private let path: String

  /// What is read at a time; as much as a pipe holds.
  private static var bufferByteCount: Int { 64 << 10 }

  /// - Parameter beginning: what has been read already.
  /// - Throws: `LogError.undecodable` if there is no memory.
  init(
    _ format: CompressionFormat, beginning: [UInt8], path: String
  ) throws(LogError) {
    do {
      decompressor = try Decompressor(format)
    } catch {
      throw .undecodable(path: path, offset: error.offset, problem: error.description)
    }
    unsafe buffer = .allocate(byteCount: Self.bufferByteCount, alignment: 16)
    unsafe buffer.copyBytes(from: beginning)
    unread = 0..<beginning.count
    self.path = path
  }

  deinit { unsafe buffer.deallocate() }

  /// Whether there is something to decode without reading.
  var isReady: Bool { !unread.isEmpty || decompressor.isHoldingBack }

  /// Decodes what was read before, and reads from the file if that gives nothing.
  ///
  /// - Parameter waits: whether to read on until something comes out, rather than once.
  /// - Returns: how many bytes were put into `output`; nil at the end.
  /// - Throws: `LogError.readFailed`, or `.undecodable` after everything in front of the fault.
  mutating func read(
    from file: borrowing ReadOnlyFile, waits: Bool, into output: UnsafeMutableRawBufferPointer
  ) throws(LogError) -> Int? {
    var hasRead = false
    while true {
      if isReady {
        let count = unsafe try decode(into: output)
        if count > 0 { return count }
      }
      if hasRead, !waits { return 0 }
      let count = unsafe try file.readLog(into: buffer)
      guard count > 0 else {
        try finish()
        return nil
      }
      unread = 0..<count
      hasRead = true
    }
  }

  private mutating func decode(into output: UnsafeMutableRawBufferPointer) throws(LogError) -> Int {
    var span = unsafe output.mutableBytes
    let input = unsafe UnsafeRawBufferPointer(rebasing: buffer[unread])
    do {
      let progress = unsafe try decompressor.decode(input.bytes, into: &span)
      unread.removeFirst(progress.consumed)
      return progress.produced
    } catch {
      throw undecodable(error)
    }
  }

  private mutating func finish() throws(LogError) {
    do {
      try decompressor.finish()
    } catch {
      throw undecodable(error)
    }
  }

  private func undecodable(_ error: DecompressionError) -> LogError {
    .undecodable(path: path, offset: error.offset, problem: error.description)
  }
}
