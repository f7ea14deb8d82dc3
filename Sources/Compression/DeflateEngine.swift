internal import CDeflate

/// libdeflate, which compresses data that is in memory as a whole.
@safe final class DeflateEngine: PartEngine {
  // Invariant: `compressor` is the library's, made in `init` and freed in `deinit`.
  private let compressor: UnsafeMutableRawPointer

  static var isAvailable: Bool { deflate_gzip_is_there() }

  /// Nil if there is no memory, or no library.
  init?(level: Int) {
    guard let compressor = unsafe deflate_gzip_open(Int32(level)) else { return nil }
    unsafe self.compressor = unsafe compressor
  }

  deinit { unsafe deflate_gzip_close(compressor) }

  func byteCountMax(of byteCount: Int) -> Int { unsafe deflate_gzip_bound(compressor, byteCount) }

  func compress(_ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer) -> Int {
    unsafe deflate_gzip_compress(
      compressor, input.baseAddress, input.count, output.baseAddress, output.count)
  }
}
