public import Glibc

/// Some bytes of a log: a payload or a part of one.
///
/// The memory belongs to the log or to the grouper's store and stays readable while the transaction it
/// came from is being handled; it must not be kept longer. In a live log the *contents* may change at any
/// moment, so nothing read here may be trusted before the source says that it was still whole afterwards.
/// Every access is within `start..<start + count`, checked or by construction.
@frozen @safe
public struct LogBytes {
  /// The first byte.
  public let start: UnsafeRawPointer
  /// How many bytes there are.
  public let count: Int

  /// Views `count` bytes from `start`, which the caller has checked to be readable.
  @inlinable
  public init(start: UnsafeRawPointer, count: Int) {
    unsafe self.start = start
    self.count = count
  }

  /// The byte at an index below `count`.
  @inlinable
  public subscript(index: Int) -> UInt8 {
    precondition(UInt(bitPattern: index) < UInt(bitPattern: count))
    return unsafe start.load(fromByteOffset: index, as: UInt8.self)
  }

  /// The bytes from `offset` on; none if there aren't as many.
  @inlinable
  public func dropFirst(_ offset: Int) -> LogBytes {
    let skipped = min(max(offset, 0), count)
    return unsafe LogBytes(start: start + skipped, count: count - skipped)
  }

  /// The first `length` bytes, or all if there are fewer.
  @inlinable
  public func prefix(_ length: Int) -> LogBytes {
    unsafe LogBytes(start: start, count: min(max(length, 0), count))
  }

  /// The position of the first such byte; nil if there is none.
  @inlinable
  public func firstIndex(of byte: UInt8) -> Int? {
    guard count > 0, let found = unsafe memchr(start, Int32(byte), count) else { return nil }
    return unsafe UnsafeRawPointer(found) - start
  }

  /// Without the last byte if that is a NUL.
  @inlinable @inline(__always)
  public var droppingFinalNUL: LogBytes {
    guard count > 0, unsafe start.load(fromByteOffset: count &- 1, as: UInt8.self) == 0 else { return self }
    return unsafe LogBytes(start: start, count: count &- 1)
  }

  /// Without the NUL bytes at the end.
  @inlinable @inline(__always)
  public var droppingFinalNULs: LogBytes {
    // Nearly always there is exactly one.
    guard count >= 2, unsafe start.load(fromByteOffset: count &- 1, as: UInt8.self) == 0,
      unsafe start.load(fromByteOffset: count &- 2, as: UInt8.self) != 0
    else { return droppingAllFinalNULs }
    return unsafe LogBytes(start: start, count: count &- 1)
  }

  @usableFromInline @inline(never)
  var droppingAllFinalNULs: LogBytes {
    var end = count
    while end > 0, unsafe start.load(fromByteOffset: end - 1, as: UInt8.self) == 0 { end -= 1 }
    return unsafe LogBytes(start: start, count: end)
  }

  /// Without white space (C's `isspace`) at both ends.
  @inlinable @inline(__always)
  public var trimmed: LogBytes {
    // Nearly always there is none, or one blank in front; all white space is at or below a blank.
    guard count >= 2 else { return trimmedBytewise }
    let from = unsafe start.load(as: UInt8.self) == 0x20 ? 1 : 0
    guard unsafe start.load(fromByteOffset: from, as: UInt8.self) > 0x20,
      unsafe start.load(fromByteOffset: count &- 1, as: UInt8.self) > 0x20
    else { return trimmedBytewise }
    return unsafe LogBytes(start: start + from, count: count &- from)
  }

  @usableFromInline @inline(never)
  var trimmedBytewise: LogBytes {
    var from = 0
    var end = count
    while from < end, unsafe ASCII.isSpace(start.load(fromByteOffset: from, as: UInt8.self)) { from += 1 }
    while end > from, unsafe ASCII.isSpace(start.load(fromByteOffset: end - 1, as: UInt8.self)) { end -= 1 }
    return unsafe LogBytes(start: start + from, count: end - from)
  }

  /// Without blanks (0x20 only) in front.
  @inlinable
  public var droppingLeadingBlanks: LogBytes {
    var from = 0
    while from < count, unsafe start.load(fromByteOffset: from, as: UInt8.self) == 0x20 { from += 1 }
    return unsafe LogBytes(start: start + from, count: count - from)
  }

  /// Whether the bytes begin with `name`, given in lower case, in any case of letters.
  @inlinable
  public func hasPrefix(lowercased name: UnsafeRawBufferPointer) -> Bool {
    guard count >= name.count else { return false }
    for index in 0..<name.count
    where unsafe ASCII.lowercased(start.load(fromByteOffset: index, as: UInt8.self)) != name[index] {
      return false
    }
    return true
  }

  /// Whether the bytes are `text`, in any case of letters; `text` is given in lower case.
  @inlinable @inline(__always)
  public func equals(lowercased text: StaticString) -> Bool {
    // Length and first letter tell nearly all other texts apart, without a call.
    guard count == text.utf8CodeUnitCount, count > 0,
      unsafe start.load(as: UInt8.self) | 0x20 == text.utf8Start.pointee | 0x20
    else { return count == 0 && text.utf8CodeUnitCount == 0 }
    return hasPrefix(lowercased: text)
  }

  /// Whether the bytes begin with `text`, in any case of letters; `text` is given in lower case.
  @inlinable
  public func hasPrefix(lowercased text: StaticString) -> Bool {
    text.withUTF8Buffer { unsafe hasPrefix(lowercased: UnsafeRawBufferPointer($0)) }
  }

  /// Whether the bytes are exactly `text`.
  @inlinable
  public func equals(_ text: StaticString) -> Bool {
    text.withUTF8Buffer { unsafe count == $0.count && buffer.elementsEqual($0) }
  }

  /// The bytes as a buffer, to be used at once.
  @inlinable
  public var buffer: UnsafeRawBufferPointer { unsafe UnsafeRawBufferPointer(start: start, count: count) }

  /// A copy, with bytes that are no UTF-8 replaced; for messages.
  public var text: String { unsafe String(decoding: buffer, as: UTF8.self) }
}
