import Platform
import VarnishLog

/// The memory in which a chunk's content is noted.
struct ChunkBuffers<Layout: RecordLayout>: ~Copyable {
  var pieces: [ChunkContent<Layout>.Piece] = []
  var verdicts: [Verdict] = []
  var text = ChunkText()

  /// More than a chunk usually has.
  private static var countUsual: Int { 4096 }

  /// Memory with room for a usual chunk.
  init() {
    pieces.reserveCapacity(Self.countUsual)
    verdicts.reserveCapacity(Self.countUsual)
  }

  /// Forgets the content, and keeps the room.
  mutating func clear() {
    pieces.removeAll(keepingCapacity: true)
    verdicts.removeAll(keepingCapacity: true)
    text.truncate(to: 0)
  }
}

/// Buffers whose content has been taken, for other chunks: memory from the system would have to be cleared for each, page
/// by page, which took a twentieth of a conversion's processor time.
final class SpareBuffers<Layout: RecordLayout>: Sendable {
  private let list: Guarded<FixedList<ChunkBuffers<Layout>?>>

  /// None at first, and never more than `count`.
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

  /// Keeps buffers, if there is a place for them.
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
