import LogReading
import Platform
import Rendering
import Transactions
import VarnishLog

/// Reads chunks and renders the whole transactions in them, for one thread.
struct ChunkRenderer<Layout: RecordLayout>: ~Copyable {
  private let file: ChunkedFile<Layout>
  private var picks: RunPicks<Layout>
  /// Classifies runs of records; no records are added to it.
  private var grouper: Grouper<Layout>
  private var twins: FixedList<RouteTwin>
  private var captures: FixedList<Captures>
  private let spares: SpareBuffers<Layout>

  init(
    _ file: ChunkedFile<Layout>, _ tags: TagTable, _ wish: PickWish, _ options: GroupingOptions,
    _ twins: consuming FixedList<RouteTwin>, _ spares: SpareBuffers<Layout>
  ) {
    self.file = file
    self.spares = spares
    picks = RunPicks(tags, wish)
    grouper = Grouper(options: options, tags: tags)
    var twins = twins
    var plans: [CapturePlan] = []
    for index in 0..<twins.count { twins[index].join(&plans) }
    captures = FixedList(count: plans.count) { Captures(plans[$0]) }
    self.twins = twins
  }

  deinit { picks.deallocate() }

  /// Renders a chunk.
  ///
  /// - Parameter start: where the chunk begins, if that is known.
  /// - Returns: nil if its beginning can't be found, or if it can't be mapped.
  @specialized(where Layout == NarrowRecords)
  @specialized(where Layout == WideRecords)
  mutating func render(_ index: Int, from start: UInt64?) -> RenderedChunk<Layout>? {
    let chunk: FileChunk<Layout>
    do throws(SystemError) {
      guard let found = try file.chunk(at: index, from: start, picks) else { return nil }
      chunk = found
    } catch {
      // Reading in order meets the same error, and reports it.
      return nil
    }
    var content = ChunkContent(chunk, spares)
    while let run = content.chunk.next(&picks) { add(run, to: &content) }
    return RenderedChunk(content)
  }

  @inline(__always)
  private mutating func add(_ run: RecordRun<Layout>, to content: inout ChunkContent<Layout>) {
    var kind = ChunkContent<Layout>.Piece.Kind.grouped
    let admission = grouper.admission(of: run)
    if admission.isRuledOut {
      kind = .ruledOut
    } else if let picked = picks.picked(of: run), let transaction = admission.transaction(run, picked),
      judge(transaction, &content)
    {
      kind = .judged
    }
    if kind == .grouped { content.groupedByteCount += run.byteCount }
    content.buffers.pieces.append(
      ChunkContent.Piece(
        kind: kind, shape: run.shape, byteCount: Int32(truncatingIfNeeded: run.byteCount),
        vxid: unsafe Layout.vxid(run.start), place: run.place))
  }

  /// Has the routes judge a transaction: all of them do, or none.
  @inline(__always)
  private mutating func judge(
    _ transaction: Transaction<Layout>, _ content: inout ChunkContent<Layout>
  ) -> Bool {
    let (textCount, verdictCount) = (content.buffers.text.count, content.buffers.verdicts.count)
    for index in 0..<captures.count { captures[index].forget() }
    for index in 0..<twins.count {
      guard let verdict = twins[index].judge(transaction, &captures, &content.buffers.text) else {
        content.buffers.text.truncate(to: textCount)
        content.buffers.verdicts.removeSubrange(verdictCount...)
        return false
      }
      content.buffers.verdicts.append(verdict)
    }
    return true
  }
}
