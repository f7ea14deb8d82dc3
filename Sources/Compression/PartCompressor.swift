/// Makes one whole gzip member or zstd frame after the other, each from bytes that are all in memory.
///
/// As all bytes are known, the compressor needs no copy in a window of its own, and can write sizes in front.
public final class PartCompressor {
  private let engine: any PartEngine

  /// Nil if there is no memory for the compressor.
  public init?(_ method: CompressionMethod) {
    let engine: (any PartEngine)? =
      switch method.library {
      case .isal: ISALEngine(level: method.level)
      case .libdeflate: DeflateEngine(level: method.level)
      case .zlib: ZlibEngine(level: method.level)
      case .zstd: ZstdEngine(level: method.level)
      }
    guard let engine else { return nil }
    self.engine = engine
  }

  /// Compresses bytes into one part that stands for itself.
  ///
  /// - Parameter bytes: fewer than 4 GiB.
  /// - Returns: nil if there is no memory for it.
  public func compress(_ bytes: UnsafeRawBufferPointer) -> [UInt8]? {
    precondition(bytes.count <= Int(UInt32.max), "the libraries count in 32 bits")
    // Reserved bytes that aren't written to cost no memory.
    let part = unsafe [UInt8](unsafeUninitializedCapacity: engine.byteCountMax(of: bytes.count)) {
      room, count in
      count = unsafe engine.compress(bytes, into: UnsafeMutableRawBufferPointer(room))
    }
    return part.isEmpty ? nil : part
  }
}

/// A library's way to make a part.
protocol PartEngine: AnyObject {
  /// The most bytes that a part of `byteCount` bytes can have once it is compressed.
  func byteCountMax(of byteCount: Int) -> Int

  /// Compresses bytes into one part.
  ///
  /// - Parameter output: has `byteCountMax` bytes.
  /// - Returns: how many bytes the part has; 0 if there is no memory.
  func compress(_ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer) -> Int
}
