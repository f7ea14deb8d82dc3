import LogReading
import Platform
import Transactions
import VarnishLog

/// Reading a file on several threads: its chunks are rendered at the same time, and put together in order.
///
/// Every transaction passes through the one grouper: whole transactions are only counted there, and their
/// lines are copied; all others are grouped and rendered as if the file was read in order.
extension Run {
  /// How many bytes to read in order behind a place that can't be read in chunks.
  private static var orderedByteCount: UInt64 { 2 << 20 }
  /// How many bytes to read in order where chunks don't pay: so many that the cost of trying chunks again is
  /// small beside it.
  private static var orderedByteCountIfGrouped: UInt64 { 256 << 20 }

  /// Reads a file's chunks, as far as that is possible and pays.
  ///
  /// Where most of a chunk is pieces of open transactions, one thread is faster than two: its own caches hold the
  /// records that it has just walked over. For 1 GB with 100,000 open requests it takes 0.9 s, where two threads
  /// take 1.2 s and 1.6 times the processor time; with 1,000 open requests 0.55 and 0.61 s, and 1.4 times.
  ///
  /// - Returns: `fault` is why reading has paused, if it wasn't at the end of a chunk; `orderedByteCount` is
  ///   how many bytes to read in order now.
  mutating func readChunks<Source: CapturedSource & ~Copyable>(
    _ source: inout Source, _ reading: inout Reading<Source.Layout>
  ) -> (fault: Pause?, orderedByteCount: UInt64) {
    guard canReadChunks(reading), let file = source.chunks, let crew = makeCrew(for: file, &source, &reading)
    else { return (nil, Self.orderedByteCount) }
    defer { crew.end() }
    while !isEnding, !isReloading, Int(clamping: source.nextPlace) < file.byteCount {
      let now = control.clock.now()
      begin(turnAt: now)
      reading.groupers[0].nowNanoseconds = now.steadyNanoseconds
      let place = source.nextPlace
      guard let rendered = crew.chunk(at: file.index(of: place), from: place) else { break }
      let (end, fault) = take(rendered, &reading, source.incarnation)
      source.goOn(at: end, rendered.content.chunk.unknownTags)
      if let fault { return (fault, Self.orderedByteCount) }
      keepCheckpoint(&reading, at: source.restartPlace, lagBytesMax: nil)
      lookAtOutputs()
      if handleCommands() { flush(&reading, from: &source) }
      // The records here may be damaged, or longer than a chunk has room for.
      if rendered.content.chunk.isCut || end <= place { break }
      if rendered.content.isMostlyGrouped { return (nil, Self.orderedByteCountIfGrouped) }
    }
    return (nil, Self.orderedByteCount)
  }

  /// Makes the renderers and starts the threads; nil if there is too little to read.
  private mutating func makeCrew<Source: CapturedSource & ~Copyable>(
    for file: ChunkedFile<Source.Layout>, _ source: inout Source, _ reading: inout Reading<Source.Layout>
  ) -> ChunkCrew<Source.Layout>? {
    let first = file.index(of: source.nextPlace)
    let threads = min(control.configuration.process.threads, file.count - first)
    guard threads > 1 else { return nil }
    let tags = TagTable(source.numbering)
    // One set of buffers for each chunk that is rendered ahead, and one for the chunk that is put together.
    let spares = SpareBuffers<Source.Layout>(count: threads + 2)
    do throws(RunError) {
      let renderers = try FixedList<ChunkRenderer<Source.Layout>?>(count: threads) { (_) throws(RunError) in
        let twins = try FixedList<RouteTwin>(count: routes.count) { (index) throws(RunError) in
          try routes[index].makeTwin(input, source.numbering)
        }
        return ChunkRenderer(file, tags, reading.wish, options(for: 0, of: reading.ways), twins, spares)
      }
      return ChunkCrew(file, from: first, renderers)
    } catch {
      // Doesn't happen: what was compiled before can be compiled again.
      return nil
    }
  }

  /// Whether what is made of a transaction depends on nothing in front of it, apart from what the grouper
  /// knows.
  private func canReadChunks<Layout: RecordLayout>(_ reading: borrowing Reading<Layout>) -> Bool {
    guard control.configuration.process.threads > 1, reading.groupers.count == 1, !reading.takesRecords,
      !reading.isRepeating, !reading.withholdsForced,
      !isReloading, reading.ways[0].grouping != .session
    else { return false }
    for index in 0..<routes.count where !routes[index].canBeDoneElsewhere { return false }
    return true
  }

  /// Takes a chunk's pieces in their order.
  ///
  /// - Returns: the place up to which pieces were taken, and why it stopped there if it wasn't the chunk's
  ///   end.
  private mutating func take<Layout: RecordLayout>(
    _ rendered: RenderedChunk<Layout>, _ reading: inout Reading<Layout>, _ incarnation: LogIncarnation
  ) -> (place: UInt64, fault: Pause?) {
    var source = ChunkSource(rendered, incarnation)
    var (readBytes, verdict, textOffset) = (0, 0, 0)
    defer { note(reading, readBytes: readBytes) }
    for piece in rendered.content.buffers.pieces {
      if control.isEnding { return (piece.place, nil) }
      readBytes += Int(piece.byteCount)
      let endPlace = piece.place &+ UInt64(piece.byteCount)
      let isJudged = piece.kind == .judged
      if pass(piece, endPlace, &reading) {
        if isJudged { hand(piece, rendered, verdict, textOffset, completedAt: logStart &+ endPlace) }
      } else {
        let run = rendered.content.chunk.run(
          at: piece.place, byteCount: Int(piece.byteCount), shape: piece.shape)
        if let fault = add(run, 0, &reading, from: &source) { return (endPlace, fault) }
      }
      guard isJudged else { continue }
      for index in verdict..<verdict + routes.count {
        textOffset += Int(rendered.content.buffers.verdicts[index].byteCount)
      }
      verdict += routes.count
    }
    return (rendered.content.chunk.end, nil)
  }

  /// Has the grouper count a piece by what another thread has found out about it, if that is enough.
  ///
  /// The piece's records, which are in another processor's cache, then aren't read once more.
  @inline(__always)
  private func pass<Layout: RecordLayout>(
    _ piece: ChunkContent<Layout>.Piece, _ endPlace: UInt64, _ reading: inout Reading<Layout>
  ) -> Bool {
    let isRuledOut = piece.kind == .ruledOut
    if piece.shape.isPart {
      return reading.groupers[0].passPart(
        of: piece.vxid, piece.shape, upTo: endPlace, isRuledOut: isRuledOut)
    }
    guard piece.kind != .grouped else { return false }
    return reading.groupers[0].passWhole(piece.vxid, upTo: endPlace, isRuledOut: isRuledOut)
  }

  /// Hands the verdicts on a transaction, and its lines, to the routes.
  @inline(__always)
  private mutating func hand<Layout: RecordLayout>(
    _ piece: ChunkContent<Layout>.Piece, _ rendered: RenderedChunk<Layout>, _ firstVerdict: Int,
    _ textOffset: Int, completedAt place: UInt64
  ) {
    var offset = textOffset
    for index in 0..<routes.count {
      let verdict = rendered.content.buffers.verdicts[firstVerdict + index]
      let from = offset
      offset += Int(verdict.byteCount)
      if routes[index].isOver { continue }
      routes[index].marks.reach(place)
      guard routes[index].admits(verdict, piece.vxid, firstPlace: piece.place, control.clock) else {
        continue
      }
      while case .full = unsafe routes[index].take(verdict, rendered.content.buffers.text[from..<offset]),
        makesRoom(index)
      {}
      routes[index].marks.advance()
      countTaken(index)
    }
  }
}
