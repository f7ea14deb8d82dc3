import Compression
import Glibc
import Platform

/// The state of a compressed file, found by reading it to its end.
enum PartScan: Equatable {
  /// Complete members or frames and nothing else.
  case whole
  /// The file ends in the middle of a member or frame; the complete ones end at the offset.
  case torn(wholeBytes: Int)
  /// The bytes behind the complete members are not the beginning of another one.
  case damaged(wholeBytes: Int)
  /// The file does not begin like one in this format.
  case foreign

  /// Reads a file from its beginning.
  init(_ format: CompressionFormat, descriptor: Int32, system: SystemCalls) throws(Errno) {
    var decompressor: Decompressor
    do { decompressor = try Decompressor(format) } catch { throw .noMemory }
    let chunkBytes = 64 << 10
    let input = UnsafeMutableRawBufferPointer.allocate(byteCount: chunkBytes, alignment: 16)
    let output = UnsafeMutableRawBufferPointer.allocate(byteCount: chunkBytes, alignment: 16)
    defer {
      unsafe input.deallocate()
      unsafe output.deallocate()
    }
    var readBytes = 0
    var fault: DecompressionError?
    while fault == nil {
      let count = unsafe try system.read(descriptor, into: input, at: readBytes)
      if count == 0 { break }
      readBytes += count
      let chunk = unsafe UnsafeRawBufferPointer(rebasing: input.prefix(count))
      fault = unsafe Self.pass(chunk, through: &decompressor, output)
    }
    let wholeBytes = decompressor.wholeByteCount
    switch fault?.kind ?? Self.faultAtEnd(of: &decompressor) {
    // Zeros behind the last member, which other programs skip, were not written by this program.
    case nil: self = wholeBytes == readBytes ? .whole : .damaged(wholeBytes: wholeBytes)
    case .cutOff: self = .torn(wholeBytes: wholeBytes)
    case .outOfMemory: throw .noMemory
    case .invalid, .wrongChecksum, .trailingGarbage, .windowTooLarge:
      let begins = try Self.format(descriptor, system) == format
      self = begins ? .damaged(wholeBytes: wholeBytes) : .foreign
    }
  }

  private static func pass(
    _ chunk: UnsafeRawBufferPointer, through decompressor: inout Decompressor,
    _ output: UnsafeMutableRawBufferPointer
  ) -> DecompressionError? {
    var consumed = 0
    do throws(DecompressionError) {
      while consumed < chunk.count || decompressor.isHoldingBack {
        let rest = unsafe UnsafeRawBufferPointer(rebasing: chunk[consumed...])
        var room = unsafe output.mutableBytes
        consumed += unsafe try decompressor.decode(rest.bytes, into: &room).consumed
      }
      return nil
    } catch {
      return error
    }
  }

  private static func faultAtEnd(of decompressor: inout Decompressor) -> DecompressionError.Kind? {
    do throws(DecompressionError) {
      try decompressor.finish()
      return nil
    } catch {
      return error.kind
    }
  }

  /// The compression format that a file's beginning shows; nil if it isn't compressed, or too short to tell.
  static func format(_ descriptor: Int32, _ system: SystemCalls) throws(Errno) -> CompressionFormat? {
    let beginning = try system.read(4, of: descriptor, at: 0)
    return unsafe CompressionFormat(beginning: beginning.span.bytes)
  }
}
