internal import CZlib

/// Decodes one gzip member after the other.
@safe final class GzipDecoder: StreamDecoder {
  // Invariant: `stream` is initialized from the end of `init` to `deinit`, and its pointers into input and output are
  // used only within the call that has set them. On the heap, as the library keeps a pointer from its own state back
  // to it.
  private let stream: UnsafeMutablePointer<z_stream>

  /// Nil if there is no memory.
  init?() {
    unsafe stream = .allocate(capacity: 1)
    unsafe stream.initialize(to: z_stream())
    let gzipWindow: Int32 = 15 + 16
    let size = unsafe Int32(MemoryLayout<z_stream>.size)
    if unsafe inflateInit2_(stream, gzipWindow, ZLIB_VERSION, size) != Z_OK { return nil }
  }

  deinit {
    unsafe inflateEnd(stream)
    unsafe stream.deinitialize(count: 1)
    unsafe stream.deallocate()
  }

  func decode(
    _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
  ) -> DecodingStep {
    // The library counts in 32 bits. Bytes beyond that are passed with the next call.
    let given = UInt32(clamping: input.count)
    let room = UInt32(clamping: output.count)
    let start = unsafe input.assumingMemoryBound(to: UInt8.self).baseAddress
    unsafe stream.pointee.next_in = unsafe UnsafeMutablePointer(mutating: start)
    unsafe stream.pointee.avail_in = given
    unsafe stream.pointee.next_out = unsafe output.assumingMemoryBound(to: UInt8.self).baseAddress
    unsafe stream.pointee.avail_out = room
    // The pointers hold for this call only.
    defer {
      unsafe stream.pointee.next_in = nil
      unsafe stream.pointee.next_out = nil
    }
    let result = unsafe inflate(stream, Z_NO_FLUSH)
    var step = DecodingStep()
    step.consumed = unsafe Int(given - stream.pointee.avail_in)
    step.produced = unsafe Int(room - stream.pointee.avail_out)
    switch result {
    case Z_OK, Z_BUF_ERROR: break
    case Z_STREAM_END:
      step.outcome = .partEnded
      unsafe inflateReset(stream)
    case Z_MEM_ERROR: step.outcome = .failed(.outOfMemory, detail: nil)
    default: step.outcome = fault
    }
    return step
  }

  /// The fault that the library found; a wrong checksum is told only by the words of its message.
  private var fault: DecodingStep.Outcome {
    guard let message = unsafe stream.pointee.msg else { return .failed(.invalid, detail: nil) }
    let text = unsafe String(cString: message)
    let sums = ["incorrect data check", "incorrect length check", "header crc mismatch"]
    return .failed(sums.contains(text) ? .wrongChecksum : .invalid, detail: text)
  }
}
