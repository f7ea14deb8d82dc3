internal import CZstd

/// Decodes one zstd frame after the other, and passes over skippable ones.
///
/// When a call of the library fails, the data decoded in that call is lost. Therefore the library is given
/// one block or header at a time, so that all data before a fault is handed out, however the input is cut;
/// and a fault's place is the beginning of the block or header it lies in.
@safe final class ZstdDecoder: StreamDecoder {
  // Invariant: `context` is the library's, made in `init` and freed in `deinit`; it keeps no pointer to input or output
  // beyond a call.
  private let context: OpaquePointer
  /// How many bytes there are up to the end of the present block or header.
  private var unitLeft = 1
  /// How many bytes of it have been taken.
  private var unitTaken = 0
  /// How many bytes of the present frame have been taken.
  private var frameTaken = 0
  /// Whether the output was full, so that the library may have more output.
  private var mayOweOutput = false

  /// The longest header that a frame can have, in bytes.
  ///
  /// As a header's length isn't known before, it is passed to the library byte by byte.
  private static var headerByteCountMax: Int { 18 }

  /// With every block the library asks for the next one's header, too.
  private static var blockHeaderByteCount: Int { 3 }

  /// Nil if there is no memory.
  init?(windowByteCountMax: Int) {
    guard let context = unsafe ZSTD_createDCtx() else { return nil }
    unsafe self.context = unsafe context
    let bits = Int32(windowByteCountMax.trailingZeroBitCount)
    if unsafe ZSTD_isError(ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax, bits)) != 0 { return nil }
  }

  deinit { unsafe ZSTD_freeDCtx(context) }

  func decode(
    _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
  ) -> DecodingStep {
    var step = DecodingStep()
    while true {
      // Output that was kept back is fetched by itself first, before a fault can spoil it.
      let given = mayOweOutput ? 0 : min(input.count - step.consumed, unitLeft)
      var source = unsafe ZSTD_inBuffer(
        src: input.baseAddress.map { unsafe $0 + step.consumed }, size: given, pos: 0)
      var target = unsafe ZSTD_outBuffer(
        dst: output.baseAddress.map { unsafe $0 + step.produced }, size: output.count - step.produced, pos: 0)
      let result = unsafe ZSTD_decompressStream(context, &target, &source)
      if ZSTD_isError(result) != 0 {
        step.outcome = fault(result)
        step.faultDistance = unitTaken
        return step
      }
      unsafe step.consumed += source.pos
      unsafe step.produced += target.pos
      unsafe advance(by: source.pos, wanted: result)
      if result == 0 {
        step.outcome = .partEnded
        return step
      }
      let wasOwed = mayOweOutput
      mayOweOutput = unsafe target.pos == target.size
      let isStuck = unsafe source.pos == 0 && target.pos == 0 && !wasOwed
      if mayOweOutput || step.consumed == input.count || isStuck { return step }
    }
  }

  /// - Parameter wanted: how many bytes the library would like to have; 0 at the end of a frame.
  private func advance(by count: Int, wanted: Int) {
    unitTaken = count < unitLeft ? unitTaken + count : 0
    frameTaken += count
    if wanted == 0 { (unitTaken, frameTaken, mayOweOutput) = (0, 0, false) }
    let header = Self.blockHeaderByteCount
    unitLeft = frameTaken < Self.headerByteCountMax ? 1 : wanted > header ? wanted - header : wanted
  }

  private func fault(_ result: Int) -> DecodingStep.Outcome {
    switch ZSTD_getErrorCode(result) {
    case ZSTD_error_checksum_wrong: .failed(.wrongChecksum, detail: nil)
    case ZSTD_error_frameParameter_windowTooLarge: .failed(.windowTooLarge, detail: nil)
    case ZSTD_error_memory_allocation: .failed(.outOfMemory, detail: nil)
    default: unsafe .failed(.invalid, detail: ZSTD_getErrorName(result).map { unsafe String(cString: $0) })
    }
  }
}
