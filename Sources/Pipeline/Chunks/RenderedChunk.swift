import LogReading
import VarnishLog

/// The content of a chunk: its pieces in order, and the lines of its whole transactions.
struct ChunkContent<Layout: RecordLayout>: ~Copyable {
  /// A run of records, and what is to be done with it.
  struct Piece {
    enum Kind: UInt8 {
      /// Its records are given to the grouper when its turn comes.
      case grouped
      /// A whole transaction that isn't wanted, or the beginning of one.
      case ruledOut
      /// A whole transaction on which there is a verdict for each route.
      case judged
    }

    let kind: Kind
    let shape: RecordRun<Layout>.Shape
    let byteCount: Int32
    let vxid: UInt64
    let place: UInt64
  }

  var chunk: FileChunk<Layout>
  var buffers: ChunkBuffers<Layout>
  /// How many bytes the pieces for the grouper have.
  var groupedByteCount = 0

  private let spares: SpareBuffers<Layout>

  /// A chunk without pieces yet.
  ///
  /// - Parameter spares: supplies the buffers, and gets them back at the end.
  init(_ chunk: consuming FileChunk<Layout>, _ spares: SpareBuffers<Layout>) {
    self.chunk = chunk
    self.spares = spares
    buffers = spares.take()
  }

  deinit { spares.keep(buffers) }

  /// Whether most of the chunk's bytes are left to the grouper.
  var isMostlyGrouped: Bool { groupedByteCount > Int(clamping: chunk.end &- chunk.start) / 2 }
}

/// A chunk's finished content, as one thread hands it to another.
final class RenderedChunk<Layout: RecordLayout>: @unchecked Sendable {
  // The content isn't changed any more.
  let content: ChunkContent<Layout>

  init(_ content: consuming ChunkContent<Layout>) { self.content = content }
}

/// A chunk as a source of records, for the calls that ask the source about a run.
struct ChunkSource<Layout: RecordLayout>: LogSource {
  let rendered: RenderedChunk<Layout>
  let incarnation: LogIncarnation
  var includesUnattributed = false

  init(_ rendered: RenderedChunk<Layout>, _ incarnation: LogIncarnation) {
    self.rendered = rendered
    self.incarnation = incarnation
  }

  static var recordsStandAlone: Bool { true }
  var isIntact: Bool { true }
  var waitDescriptor: Int32? { nil }
  var nextPlace: UInt64 { rendered.content.chunk.end }

  /// Hands out nothing: the chunk's runs are taken by their places.
  mutating func next() -> SourceStep<Layout> { .end }

  func offset(of address: UnsafeRawPointer) -> Int { unsafe rendered.content.chunk.offset(of: address) }
}
