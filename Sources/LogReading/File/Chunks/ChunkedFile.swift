public import Platform
import SharedMemory
public import VarnishLog

/// A regular file of records, whose parts are read by several threads at a time.
///
/// A chunk is the transactions and pieces between two places that are known or guessed: from the first `Begin` behind
/// one multiple of the chunks' size to the first behind the next. Whether a guess was right is known when the chunks
/// are put together: it was if the chunk before ends exactly there.
public final class ChunkedFile<Layout: RecordLayout>: Sendable {
  private let file: ReadOnlyFile
  /// Where in the file the log begins.
  private let origin: Int
  /// How many bytes the log had when this was made; what is added later isn't seen.
  public let byteCount: Int

  /// How many bytes a chunk has, and how many are mapped behind it, so that its last transaction has room.
  private let chunkByteCount: Int, overlapByteCount: Int

  /// Reads an open file, with a duplicate of its file descriptor.
  init(
    _ file: borrowing ReadOnlyFile, origin: Int, byteCount: Int, chunkByteCount: Int, overlapByteCount: Int
  ) throws(SystemError) {
    self.file = try ReadOnlyFile(duplicating: file)
    self.origin = origin
    self.byteCount = byteCount
    self.chunkByteCount = chunkByteCount
    self.overlapByteCount = overlapByteCount
  }

  /// The number of the chunk that a place is in.
  public func index(of place: UInt64) -> Int { Int(clamping: place) / chunkByteCount }

  /// How many chunks there are.
  public var count: Int { (byteCount + chunkByteCount - 1) / chunkByteCount }

  /// Maps a chunk.
  ///
  /// - Parameters:
  ///   - start: where its first run begins, if that is known.
  ///   - picks: knows the log's tags.
  /// - Returns: nil if the chunk's beginning isn't known, and can't be guessed.
  /// - Throws: `SystemError` if it can't be mapped.
  public func chunk(
    at index: Int, from start: UInt64?, _ picks: borrowing RunPicks<Layout>
  ) throws(SystemError) -> FileChunk<Layout>? {
    let lower = start.map { Int(clamping: $0) } ?? index * chunkByteCount
    let limit = (index + 1) * chunkByteCount
    guard lower >= 0, lower < byteCount else { return nil }
    let upper = min(byteCount, max(limit, lower) + overlapByteCount)
    let mapping = try ReadOnlyMapping(file, offset: origin + lower, byteCount: upper - lower)
    var offset = 0
    if start == nil {
      let bytes = unsafe UnsafeRawBufferPointer(start: mapping.base, count: mapping.byteCount)
      guard let guess = unsafe PlausibleStart<Layout>(classes: picks.classes).find(in: bytes) else {
        return nil
      }
      offset = guess
    }
    return FileChunk(mapping, place: UInt64(lower), from: offset, limit: limit - lower)
  }
}
