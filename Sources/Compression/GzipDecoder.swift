internal import CZlib

/// Decodes one gzip member after the other.
final class GzipDecoder: StreamDecoder {
  // On the heap, as the library keeps a pointer from its own state back to it.
  private let stream: UnsafeMutablePointer<z_stream>

  /// Nil if there is no memory.
  init?() {
    stream = .allocate(capacity: 1)
    stream.initialize(to: z_stream())
    let gzipWindow: Int32 = 15 + 16
    let size = Int32(MemoryLayout<z_stream>.size)
    if inflateInit2_(stream, gzipWindow, ZLIB_VERSION, size) != Z_OK { return nil }
  }

  deinit {
    inflateEnd(stream)
    stream.deinitialize(count: 1)
    stream.deallocate()
  }

  func decode(
    _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
  ) -> DecodingStep {
    // The library counts in 32 bits. What is beyond that comes with the next call.
    let given = UInt32(clamping: input.count)
    let room = UInt32(clamping: output.count)
    let start = input.assumingMemoryBound(to: UInt8.self).baseAddress
    stream.pointee.next_in = UnsafeMutablePointer(mutating: start)
    stream.pointee.avail_in = given
    stream.pointee.next_out = output.assumingMemoryBound(to: UInt8.self).baseAddress
    stream.pointee.avail_out = room
    // The pointers hold for this call only.
    defer {
      stream.pointee.next_in = nil
      stream.pointee.next_out = nil
    }
    let result = inflate(stream, Z_NO_FLUSH)
    var step = DecodingStep()
    step.consumed = Int(given - stream.pointee.avail_in)
    step.produced = Int(room - stream.pointee.avail_out)
    switch result {
    case Z_OK, Z_BUF_ERROR: break
    case Z_STREAM_END:
      step.outcome = .partEnded
      inflateReset(stream)
    case Z_MEM_ERROR: step.outcome = .failed(.outOfMemory, detail: nil)
    default: step.outcome = fault
    }
    return step
  }

  /// What the library found; of a wrong sum it only says so in words.
  private var fault: DecodingStep.Outcome {
    guard let message = stream.pointee.msg else { return .failed(.invalid, detail: nil) }
    let text = String(cString: message)
    let sums = ["incorrect data check", "incorrect length check", "header crc mismatch"]
    return .failed(sums.contains(text) ? .wrongChecksum : .invalid, detail: text)
  }
}
