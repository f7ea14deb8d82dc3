internal import CZlib

/// zlib, which is always there.
@safe final class ZlibEngine: PartEngine {
  // Invariant: `stream` is an initialized deflate stream from the end of `init` to `deinit`; its pointers into input
  // and output are used only within the call that has set them. On the heap, as the library keeps a pointer from its
  // own state back to it.
  private let stream: UnsafeMutablePointer<z_stream>

  /// Nil if there is no memory.
  init?(level: Int) {
    unsafe stream = .allocate(capacity: 1)
    unsafe stream.initialize(to: z_stream())
    let gzipWindow: Int32 = 15 + 16
    let size = unsafe Int32(MemoryLayout<z_stream>.size)
    let result = unsafe deflateInit2_(
      stream, Int32(level), Z_DEFLATED, gzipWindow, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION, size)
    if result != Z_OK { return nil }
  }

  deinit {
    unsafe deflateEnd(stream)
    unsafe stream.deinitialize(count: 1)
    unsafe stream.deallocate()
  }

  func byteCountMax(of byteCount: Int) -> Int { unsafe Int(deflateBound(stream, UInt(byteCount))) }

  func compress(_ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer) -> Int {
    let start = unsafe input.assumingMemoryBound(to: UInt8.self).baseAddress
    unsafe stream.pointee.next_in = unsafe UnsafeMutablePointer(mutating: start)
    unsafe stream.pointee.avail_in = UInt32(input.count)
    unsafe stream.pointee.next_out = unsafe output.assumingMemoryBound(to: UInt8.self).baseAddress
    unsafe stream.pointee.avail_out = UInt32(clamping: output.count)
    let result = unsafe deflate(stream, Z_FINISH)
    let count = unsafe Int(stream.pointee.total_out)
    unsafe stream.pointee.next_in = nil
    unsafe stream.pointee.next_out = nil
    // Reset at once: the library gives no bound for a stream that is complete.
    unsafe deflateReset(stream)
    return result == Z_STREAM_END ? count : 0
  }
}
