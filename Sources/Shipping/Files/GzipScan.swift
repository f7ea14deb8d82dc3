internal import CZlib
import Glibc
import Platform

/// What a gzip file turns out to be when it is read to its end.
enum GzipScan: Equatable {
  /// Complete members and nothing else.
  case whole
  /// The file ends in the middle of a member; the complete ones end at the offset.
  case torn(wholeBytes: Int)
  /// What follows the complete members is not the beginning of another one.
  case damaged(wholeBytes: Int)
  /// The file does not begin like a gzip file.
  case foreign

  /// Reads a file from its beginning.
  init(descriptor: Int32, system: SystemCalls) throws(Errno) {
    var stream = unsafe z_stream()
    let gzipWindow: Int32 = 15 + 16
    let chunkBytes = 64 << 10
    let input = UnsafeMutableRawBufferPointer.allocate(byteCount: chunkBytes, alignment: 16)
    let output = UnsafeMutableRawBufferPointer.allocate(byteCount: chunkBytes, alignment: 16)
    defer {
      unsafe input.deallocate()
      unsafe output.deallocate()
    }
    let version = ZLIB_VERSION
    guard unsafe inflateInit2_(&stream, gzipWindow, version, Int32(MemoryLayout<z_stream>.size)) == Z_OK
    else { throw .noMemory }
    defer { unsafe inflateEnd(&stream) }

    var wholeBytes = 0
    var readBytes = 0
    while true {
      let count = unsafe try system.read(descriptor, into: input, at: readBytes)
      if count == 0 { break }
      readBytes += count
      unsafe stream.next_in = unsafe input.assumingMemoryBound(to: UInt8.self).baseAddress
      unsafe stream.avail_in = UInt32(count)
      repeat {
        unsafe stream.next_out = unsafe output.assumingMemoryBound(to: UInt8.self).baseAddress
        unsafe stream.avail_out = UInt32(chunkBytes)
        switch unsafe inflate(&stream, Z_NO_FLUSH) {
        case Z_STREAM_END:
          wholeBytes = unsafe readBytes - Int(stream.avail_in)
          unsafe inflateReset(&stream)
        case Z_OK, Z_BUF_ERROR:
          break
        default:
          let hasMagic = try Self.hasMagic(descriptor, system)
          self = hasMagic ? .damaged(wholeBytes: wholeBytes) : .foreign
          return
        }
        // A full output buffer may mean that there is more to come from the same input.
      } while unsafe stream.avail_in > 0 || stream.avail_out == 0
    }
    self = wholeBytes == readBytes ? .whole : .torn(wholeBytes: wholeBytes)
  }

  /// Whether a file begins like a gzip file.
  static func hasMagic(_ descriptor: Int32, _ system: SystemCalls) throws(Errno) -> Bool {
    try system.read(2, of: descriptor, at: 0) == [0x1f, 0x8b]
  }
}
