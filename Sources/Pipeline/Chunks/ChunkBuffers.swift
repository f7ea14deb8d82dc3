import Platform
import VarnishLog

/// The memory that holds what is found in a chunk.
struct ChunkBuffers<Layout: RecordLayout>: ~Copyable {
  var pieces: [ChunkContent<Layout>.Piece] = []
  var verdicts: [Verdict] = []
  var text = ChunkText()

  /// More pieces than a chunk usually has.
  private static var countUsual: Int { 4096 }

  /// Allocates room for the content of a usual chunk.
  init() {
    pieces.reserveCapacity(Self.countUsual)
    verdicts.reserveCapacity(Self.countUsual)
  }

  /// Removes the content, and keeps the memory.
  mutating func clear() {
    pieces.removeAll(keepingCapacity: true)
    verdicts.removeAll(keepingCapacity: true)
    text.truncate(to: 0)
  }
}

/// Buffers of chunks that are done with, for use by other chunks: new memory from the system would have to be
/// cleared page by page for each chunk, which took a twentieth of a conversion's processor time.
final class SpareBuffers<Layout: RecordLayout>: Sendable {
  private let list: Guarded<FixedList<ChunkBuffers<Layout>?>>

  /// Begins with no buffers, and never holds more than `count`.
  init(count: Int) { list = Guarded(FixedList(count: count) { _ in nil }) }

  /// Buffers without content.
  func take() -> ChunkBuffers<Layout> {
    let spare = list.withLock { list -> ChunkBuffers<Layout>? in
      for index in 0..<list.count where list[index] != nil { return list[index].take() }
      return nil
    }
    guard var buffers = spare else { return ChunkBuffers() }
    buffers.clear()
    return buffers
  }

  /// Keeps buffers for another chunk, if fewer than `count` are held.
  func keep(_ buffers: consuming ChunkBuffers<Layout>) {
    var kept: ChunkBuffers<Layout>? = buffers
    list.withLock { list in
      for index in 0..<list.count where list[index] == nil {
        list[index] = kept.take()
        return
      }
    }
  }
}
