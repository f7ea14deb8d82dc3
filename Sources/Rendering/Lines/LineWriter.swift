import CShims
import Glibc
import VarnishLog

/// Writes one line into memory that the caller has reserved for it.
///
/// Nothing is written past the end: pieces that don't fit are left out and `overflowed` is set, so that the
/// caller can try again with more room. This takes one comparison for each piece, none for each byte.
@safe public struct LineWriter {
  // Invariant: `used` is never more than `capacity`, and `capacity` bytes can be written from `base` on;
  // every piece asks for room before it is written. The memory belongs to the caller, which keeps it as long as
  // the writer is used.

  @usableFromInline let base: UnsafeMutableRawPointer
  @usableFromInline let capacity: Int
  @usableFromInline var used = 0
  @usableFromInline var hasOverflowed = false

  /// How many bytes have been written.
  @inlinable public var count: Int { used }
  /// Whether a piece didn't fit.
  ///
  /// The line is then useless.
  @inlinable public var overflowed: Bool { hasOverflowed }

  /// Starts a line at the beginning of `memory`.
  public init(_ memory: UnsafeMutableRawBufferPointer) {
    // With no memory, nothing is written.
    unsafe base = memory.baseAddress ?? UnsafeMutableRawPointer(bitPattern: 16).unsafelyUnwrapped
    capacity = unsafe memory.baseAddress == nil ? 0 : memory.count
  }

  /// The bytes written behind the first `count` ones.
  func written(since count: Int) -> LogBytes { unsafe LogBytes(start: base + count, count: used - count) }

  /// The bytes written so far.
  public var written: UnsafeRawBufferPointer { unsafe UnsafeRawBufferPointer(start: base, count: used) }

  /// Takes room for `byteCount` bytes; nil if there is none.
  @inline(__always)
  private mutating func room(_ byteCount: Int) -> UnsafeMutableRawPointer? {
    // used <= capacity; the number is never negative.
    guard byteCount <= capacity &- used else {
      hasOverflowed = true
      return nil
    }
    defer { used &+= byteCount }
    return unsafe base + used
  }

  /// Has `body` write up to `byteCount` bytes.
  ///
  /// - Parameter body: is given the room and returns how many bytes it has used, from the beginning on.
  @inlinable
  public mutating func put(atMost byteCount: Int, _ body: (UnsafeMutableRawPointer) -> Int) {
    guard byteCount <= capacity &- used else {
      hasOverflowed = true
      return
    }
    let written = unsafe body(base + used)
    precondition(written >= 0 && written <= byteCount, "more than there was room for")
    used += written
  }

  /// Writes bytes unchanged.
  @inline(__always)
  mutating func put(_ bytes: UnsafeRawBufferPointer) {
    guard let source = bytes.baseAddress, let target = unsafe room(bytes.count) else { return }
    // Most pieces are short, and calling for a copy costs more than making it. Two overlapping loads cover
    // 17 to 32 bytes, 8 to 16, and 4 to 7, without touching anything outside.
    switch bytes.count {
    case 17...32:
      let last = bytes.count - 16
      let (head, tail) = unsafe (
        source.loadUnaligned(as: SIMD16<UInt8>.self),
        source.loadUnaligned(fromByteOffset: last, as: SIMD16<UInt8>.self)
      )
      unsafe target.storeBytes(of: head, as: SIMD16<UInt8>.self)
      unsafe target.storeBytes(of: tail, toByteOffset: last, as: SIMD16<UInt8>.self)
    case 8...16:
      let last = bytes.count - 8
      let (head, tail) = unsafe (
        source.loadUnaligned(as: UInt64.self),
        source.loadUnaligned(fromByteOffset: last, as: UInt64.self)
      )
      unsafe target.storeBytes(of: head, as: UInt64.self)
      unsafe target.storeBytes(of: tail, toByteOffset: last, as: UInt64.self)
    case 4...7:
      let last = bytes.count - 4
      let (head, tail) = unsafe (
        source.loadUnaligned(as: UInt32.self),
        source.loadUnaligned(fromByteOffset: last, as: UInt32.self)
      )
      unsafe target.storeBytes(of: head, as: UInt32.self)
      unsafe target.storeBytes(of: tail, toByteOffset: last, as: UInt32.self)
    case 1...3:
      for index in 0..<bytes.count {
        unsafe target.storeBytes(of: bytes[index], toByteOffset: index, as: UInt8.self)
      }
    default: unsafe target.copyMemory(from: source, byteCount: bytes.count)
    }
  }

  /// Writes bytes unchanged.
  mutating func put(_ bytes: LogBytes) { unsafe put(bytes.buffer) }

  /// Writes a value up to the first special byte: a control character, `"`, `\`, rubout, or a byte beyond
  /// ASCII.
  ///
  /// One function examines and copies, sixteen bytes at a time: some 17 instructions for each sixteen bytes
  /// and 25 for the rest. Bytes that it writes behind the value are overwritten, or left out where the line
  /// ends.
  ///
  /// - Returns: how many bytes were written, or would have been if there had been room.
  @inline(__always)
  mutating func putPlain(_ value: LogBytes) -> Int {
    guard value.count &+ 15 <= capacity &- used else { return putPlainAtEnd(value) }
    let count = unsafe shim_copy_plain(base + used, value.start, value.count)
    used &+= count
    return count
  }

  /// Writes a value in the same way where there may be no more room than for the value.
  @inline(never)
  private mutating func putPlainAtEnd(_ value: LogBytes) -> Int {
    let count = value.count
    // Room for the whole value is reserved at once; unused room is given back.
    guard count > 0, let target = unsafe room(count) else { return count }
    var index = 0
    while index < count {
      let byte = unsafe value.start.load(fromByteOffset: index, as: UInt8.self)
      if byte &- 0x20 >= 0x5F || byte == 0x22 || byte == 0x5C { break }
      unsafe target.storeBytes(of: byte, toByteOffset: index, as: UInt8.self)
      index &+= 1
    }
    used &-= count &- index
    return index
  }

  /// Writes a value up to the first byte that must be escaped.
  ///
  /// - Parameter special: for each byte whether it must be escaped.
  /// - Returns: how many bytes were written, or would have been if there had been room.
  mutating func put(_ value: LogBytes, while special: UnsafePointer<Bool>) -> Int {
    let count = value.count
    guard count > 0, let target = unsafe room(count) else { return count }
    var index = 0
    while index < count {
      let byte = unsafe value.start.load(fromByteOffset: index, as: UInt8.self)
      if unsafe special[Int(byte)] { break }
      unsafe target.storeBytes(of: byte, toByteOffset: index, as: UInt8.self)
      index &+= 1
    }
    used &-= count &- index
    return index
  }

  /// Writes constant text.
  @inline(__always)
  mutating func put(_ text: PooledText) {
    // The size is rounded up, so that the only decision is whether it is more than sixteen bytes.
    guard text.count &+ 15 <= capacity &- used else { return putAtEnd(text) }
    unsafe shim_copy_rounded(base + used, text.start, text.count)
    used &+= text.count
  }

  @inline(never)
  private mutating func putAtEnd(_ text: PooledText) {
    unsafe put(UnsafeRawBufferPointer(start: text.start, count: text.count))
  }

  /// Writes a text unchanged.
  @inline(__always)
  mutating func put(_ text: StaticString) {
    text.withUTF8Buffer { unsafe put(UnsafeRawBufferPointer($0)) }
  }

  /// Writes one byte.
  @inline(__always)
  mutating func put(_ byte: UInt8) {
    unsafe room(1)?.storeBytes(of: byte, as: UInt8.self)
  }

  /// Writes a number in decimal.
  mutating func put(_ number: Int64) {
    if number < 0 { put(UInt8(ascii: "-")) }
    put(decimal: number.magnitude, minimumDigits: 1)
  }

  /// Writes a number in decimal, with zeros in front if it has too few digits.
  mutating func put(decimal number: UInt64, minimumDigits: Int) {
    var digits = 1
    // The least number with more digits; none has more than twenty.
    var bound: UInt64 = 10
    while number >= bound {
      digits &+= 1
      if digits == 20 { break }
      bound &*= 10
    }
    digits = max(digits, minimumDigits)
    guard let target = unsafe room(digits) else { return }
    var rest = number
    while digits > 0 {
      digits &-= 1
      let (quotient, digit) = rest.quotientAndRemainder(dividingBy: 10)
      let letter = 0x30 + UInt8(truncatingIfNeeded: digit)
      unsafe target.storeBytes(of: letter, toByteOffset: digits, as: UInt8.self)
      rest = quotient
    }
  }

  /// Writes `\xNN`, `\u00NN` or `%NN`.
  mutating func put(hexOf byte: UInt8, after prefix: StaticString) {
    put(prefix)
    guard let target = unsafe room(2) else { return }
    unsafe target.storeBytes(of: Self.hexDigit(byte >> 4), as: UInt8.self)
    unsafe target.storeBytes(of: Self.hexDigit(byte & 15), toByteOffset: 1, as: UInt8.self)
  }

  /// Writes `\xNN` with capital letters, as nginx does.
  mutating func put(capitalHexOf byte: UInt8, after prefix: StaticString) {
    put(prefix)
    guard let target = unsafe room(2) else { return }
    let digits = (Self.hexDigit(byte >> 4), Self.hexDigit(byte & 15))
    unsafe target.storeBytes(of: digits.0 > 0x60 ? digits.0 - 0x20 : digits.0, as: UInt8.self)
    unsafe target.storeBytes(
      of: digits.1 > 0x60 ? digits.1 - 0x20 : digits.1, toByteOffset: 1, as: UInt8.self)
  }

  private static func hexDigit(_ value: UInt8) -> UInt8 {
    value < 10 ? 0x30 + value : 0x61 + value - 10
  }
}
