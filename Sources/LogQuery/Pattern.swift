import CPCRE2
import VarnishLog

/// A compiled regular expression.
@safe final class Pattern {
  // Invariant: the compiled expression behind `code` isn't changed after `init` and is freed with this
  // object, which outlives every use of `code`: the query or the filter keeps the object beside its tests.

  let code: OpaquePointer
  /// Whether a text must be copied before it is matched, since the engine relies on what it checked not to
  /// change.
  let needsCopy: Bool

  /// What the engine found wrong with an expression.
  struct Fault: Error {
    let reason: String
    let offset: Int
  }

  init(_ expression: [UInt8], caseless: Bool) throws(Fault) {
    var number: Int32 = 0
    var offset = 0
    let options = caseless ? PCRE2_CASELESS : 0
    // An empty array may have no address, and the engine wants one.
    let padded = expression + [0]
    guard
      let code = unsafe padded.withUnsafeBufferPointer({
        unsafe pcre2_compile_8($0.baseAddress, expression.count, options, &number, &offset, nil)
      })
    else { throw Fault(reason: Self.message(number), offset: offset) }
    // Where the engine has no compiler for the processor, it interprets the expression.
    unsafe pcre2_jit_compile_8(code, PCRE2_JIT_COMPLETE)
    var allOptions: UInt32 = 0
    unsafe pcre2_pattern_info_8(code, UInt32(PCRE2_INFO_ALLOPTIONS), &allOptions)
    needsCopy = allOptions & PCRE2_UTF != 0
    unsafe self.code = unsafe code
  }

  deinit { unsafe pcre2_code_free_8(code) }

  private static func message(_ number: Int32) -> String {
    let bytes = unsafe [UInt8](unsafeUninitializedCapacity: 256) { buffer, count in
      count = unsafe Int(max(pcre2_get_error_message_8(number, buffer.baseAddress, buffer.count), 0))
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}

/// Runs regular expressions, with memory that all of them share.
@safe struct PatternMatcher: ~Copyable {
  // Invariant: `data` and `copy` are this value's alone, one match at a time uses them, and `copy` has room
  // for the longest payload. Without `data` the engine gives up.

  private let data: OpaquePointer?
  private let copy: UnsafeMutableRawBufferPointer

  init() {
    // No caller needs the place of the match: one pair of offsets will do.
    unsafe data = unsafe pcre2_match_data_create_8(1, nil)
    unsafe copy = .allocate(byteCount: RecordHeader.payloadByteCountMax, alignment: 1)
  }

  deinit {
    unsafe pcre2_match_data_free_8(data)
    unsafe copy.deallocate()
  }

  /// Whether the text matches, or the engine gave up on it.
  ///
  /// The engine gives up if too much would have to be tried, if a stack is too small, or if a pattern
  /// requires UTF-8 and the text isn't UTF-8; the reference tools take all of these for a match.
  @inline(__always)
  func matches(_ code: OpaquePointer, needsCopy: Bool, _ text: LogBytes) -> Bool {
    var start = unsafe text.start
    if needsCopy, let kept = unsafe copy.baseAddress {
      // In a live log the text may change after it was found to be UTF-8.
      unsafe copy.copyMemory(from: text.buffer)
      unsafe start = UnsafeRawPointer(kept)
    }
    let bytes = unsafe start.assumingMemoryBound(to: UInt8.self)
    return unsafe pcre2_match_8(code, bytes, text.count, 0, 0, data, nil) != PCRE2_ERROR_NOMATCH
  }
}
