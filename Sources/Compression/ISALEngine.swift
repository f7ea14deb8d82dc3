internal import CISAL

/// ISA-L, which compresses with the vector instructions that the processor has.
@safe final class ISALEngine: PartEngine {
  // Invariant: `state` is as large as the library says, from `init` to `deinit`, and is used only within a call.
  private let state: UnsafeMutableRawPointer
  private let level: Int32

  static var isAvailable: Bool { isal_gzip_is_there() }

  /// Nil if the library isn't there.
  init?(level: Int) {
    guard Self.isAvailable else { return nil }
    unsafe state = .allocate(byteCount: isal_gzip_state_size(), alignment: 64)
    // Its third level takes five times as long as the second for files that are 0.2 % smaller, but where the processor
    // has AVX-512.
    self.level = Int32(min(level, 2))
  }

  deinit { unsafe state.deallocate() }

  func byteCountMax(of byteCount: Int) -> Int {
    // What doesn't get smaller is stored, with 5 bytes for every 64 KiB, between header and trailer.
    byteCount + byteCount >> 10 + 1024
  }

  func compress(_ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer) -> Int {
    unsafe isal_gzip_compress(state, level, input.baseAddress, input.count, output.baseAddress, output.count)
  }
}
