import Spool
import LogReading
import Platform
import Rendering
import Shipping
import Transactions
import VarnishLog

/// Runs over a captured log.
extension Pipeline {
  mutating func runFile(_ path: String, _ sink: sending any Sink) throws(RunError) {
    let assumed = options.compatibility.map { TagNumbering(of: $0) }
    let isOld = options.compatibility.map { $0 < VarnishVersion(5, 2, 0) } ?? false
    // Standard input and named pipes may have nothing to read yet.
    let file = try aside("opening \(path)", patienceSeconds: 0) {
      Result { () throws(LogError) in try LogFile(path: path) }
        .mapError { isOld ? .logFileInOldTool($0) : .log($0) }
    }
    switch file.layout {
    case .narrow:
      let fits = assumed == .v40 || assumed == .v41
      try run(FileRecords<NarrowRecords>(file, assuming: fits ? assumed : nil), path, sink)
    case .wide:
      let fits = assumed == .v73 || assumed == .v90
      try run(FileRecords<WideRecords>(file, assuming: fits ? assumed : nil), path, sink)
    }
  }

  private mutating func run<Layout: RecordLayout>(
    _ records: consuming FileRecords<Layout>, _ path: String, _ sink: sending any Sink
  ) throws(RunError) {
    var source = records
    do {
      try source.begin()
    } catch {
      throw .log(error)
    }
    source.includesUnattributed = takesRecordsSingly
    _ = binaryContent?.begin(BinaryLogFile.kind(Layout.self, source.numbering))
    try start(sink, canWait: true)
    announceReady()
    try prepareLane(for: source.numbering)
    var grouper = Grouper<Layout>(
      options: groupingOptions(for: source.numbering), tags: TagTable(source.numbering))
    var strays = StrayPieces()
    do throws(LogError) {
      reading: while !isEnding, output?.failure == nil {
        grouper.nowNanoseconds = Moment.now().steadyNanoseconds
        let pause = try pump(&source, &grouper, &strays)
        if handleSignals() {
          grouper.flush()
          takeFinished(&grouper, from: &source)
        }
        switch pause {
        case .busy, .overrun: continue
        case .idle:
          // Full blocks go by themselves; what is left goes now, before a long wait.
          lane?.publish()
          signals.wait(milliseconds: -1, or: source.waitDescriptor)
        case .end: break reading
        case .damaged(let error): throw error
        case .oversized(let vxid, let offset):
          throw .damaged(
            path: path, offset: offset, isDecoded: source.isDecoded,
            problem: "transaction \(vxid) has more than \(GroupingOptions.storedBytesMax) bytes and no end"
          )
        }
      }
    } catch {
      fail(error.description)
    }
    count(grouper.statistics)
    grouper.discardOpen()
    report(strays, unknownTags: source.unknownTags, path: path, isDecoded: source.isDecoded)
    finish()
  }

  /// Says what the file had that belongs nowhere.
  ///
  /// What could be delivered has been.
  private mutating func report(
    _ strays: StrayPieces, unknownTags: UnknownTags?, path: String, isDecoded: Bool
  ) {
    guard options.reportsOrphans else { return }
    if let unknownTags {
      fail(
        LogError.place(path, unknownTags.firstOffset, isDecoded: isDecoded)
          + ": a record of tag \(unknownTags.firstTag), which is not known (\(unknownTags.count) in all)")
    } else if strays.count > 0 {
      fail(
        LogError.place(path, strays.firstOffset, isDecoded: isDecoded)
          + ": records of transaction \(strays.firstVXID), which doesn't begin in this file "
          + "(\(strays.count) such pieces)")
    }
  }

  private mutating func fail(_ text: String) {
    messages.say(text)
    status = ExitStatus.failure
  }
}
