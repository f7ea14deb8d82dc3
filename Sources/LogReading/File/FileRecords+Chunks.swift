import Platform
import VarnishLog

/// Reading the file in chunks, by several threads.
extension FileRecords {
  /// Large enough that a chunk's beginning and its end cost little, small enough for the caches and for the memory of
  /// all threads.
  private static var chunkByteCount: Int { 2 << 20 }
  private static var overlapByteCount: Int { 256 << 10 }

  /// The file in chunks, if they can be read at the same time; nil if they can't.
  public var chunks: ChunkedFile<Layout>? { chunks(of: Self.chunkByteCount, overlap: Self.overlapByteCount) }

  /// The file in chunks of a given size, if they can be read at the same time; nil if they can't.
  ///
  /// - Parameters:
  ///   - chunkByteCount: a multiple of four.
  ///   - overlap: how many bytes of the next chunk each sees.
  public func chunks(of chunkByteCount: Int, overlap: Int) -> ChunkedFile<Layout>? {
    do throws(SystemError) {
      return try window.chunks(of: chunkByteCount, overlap: overlap)
    } catch {
      // The file can still be read in its order.
      return nil
    }
  }

  /// Goes on at a place up to which chunks were read.
  public mutating func goOn(at place: UInt64, _ unknownTags: UnknownTags?) {
    window.jump(to: Int(clamping: place))
    offsetInWindow = 0
    if let unknownTags { self.unknownTags += unknownTags }
  }
}
