internal import CZstd

/// zstd, whose frames say how long their content is, and end in its checksum.
@safe final class ZstdEngine: PartEngine {
  // Invariant: `context` is the library's, made in `init` and freed in `deinit`; it keeps no pointer to input or output
  // beyond a call.
  private let context: OpaquePointer

  /// Nil if there is no memory.
  init?(level: Int) {
    guard let context = unsafe ZSTD_createCCtx() else { return nil }
    unsafe self.context = unsafe context
    for (parameter, value) in [(ZSTD_c_compressionLevel, level), (ZSTD_c_checksumFlag, 1)]
    where unsafe ZSTD_isError(ZSTD_CCtx_setParameter(context, parameter, Int32(value))) != 0 { return nil }
  }

  deinit { unsafe ZSTD_freeCCtx(context) }

  func byteCountMax(of byteCount: Int) -> Int { ZSTD_compressBound(byteCount) }

  func compress(_ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer) -> Int {
    let count = unsafe ZSTD_compress2(
      context, output.baseAddress, output.count, input.baseAddress, input.count)
    return ZSTD_isError(count) == 0 ? count : 0
  }
}
