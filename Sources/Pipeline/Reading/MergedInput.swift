import Glibc
import LogReading
import Platform
import Transactions
import VarnishLog

/// One of several captured logs that are read side by side.
///
/// It holds the next group and reads no further until the group is handed over, so that memory is needed only
/// for the log's own open transactions.
class MergedInput {
  /// What messages call it.
  let path: String
  /// When the next group ended, in nanoseconds since 1970, never going back; nil if there are no more groups.
  fileprivate(set) var time: Int64?

  fileprivate init(_ path: String) { self.path = path }

  /// Reads up to the next group.
  func advance(_ run: inout Run) { preconditionFailure("each kind of log has its own") }

  /// Hands the group to the routes.
  func handOver(to run: inout Run) throws(RunError) { preconditionFailure("each kind of log has its own") }

  /// Ends reading, and discards open transactions.
  func end(_ run: inout Run) { preconditionFailure("each kind of log has its own") }
}

extension MergedInput {
  /// Prepares to read a log.
  static func of(
    _ log: consuming CapturedLog, _ path: String, _ run: inout Run
  ) throws(RunError) -> MergedInput {
    switch consume log {
    case .narrowFile(let source): try MergedSource(source, path, &run)
    case .wideFile(let source): try MergedSource(source, path, &run)
    case .file20(let source): try MergedSource(source, path, &run)
    case .file21(let source): try MergedSource(source, path, &run)
    case .file30(let source): try MergedSource(source, path, &run)
    case .narrowImage(let source): try MergedSource(source, path, &run)
    case .wideImage(let source): try MergedSource(source, path, &run)
    case .image20(let source): try MergedSource(source, path, &run)
    case .image21(let source): try MergedSource(source, path, &run)
    case .image30(let source): try MergedSource(source, path, &run)
    }
  }
}

/// A captured log with records of one layout.
private final class MergedSource<Source: CapturedSource & ~Copyable>: MergedInput {
  private var source: Source
  private var reading: Reading<Source.Layout>
  private let timestamp: UInt8?
  /// The next group, which is valid until its grouper is asked for another, and the index of that grouper.
  private var pending: TransactionGroup<Source.Layout>?
  private var way = 0
  private var latest: Int64 = 0
  private var isAtEnd = false

  init(_ source: consuming Source, _ path: String, _ run: inout Run) throws(RunError) {
    timestamp = TagTable(source.numbering).number(of: .timestamp)
    var reading = try run.beginReading(Source.Layout.self, source.numbering, single: source.singleNumbering)
    reading.withholdsForced = source.beginsAnywhere
    way = reading.groupers.count
    var source = source
    source.pick(reading.wish, TagTable(source.numbering))
    self.reading = reading
    self.source = source
    super.init(path)
  }

  override func advance(_ run: inout Run) {
    time = nil
    do throws(LogError) {
      while true {
        while way < reading.groupers.count {
          if let group = reading.groupers[way].next() {
            if reading.withholdsForced, group.containsForced { continue }
            pending = group
            latest = max(latest, endTime(of: group) ?? latest)
            time = latest
            return
          }
          way += 1
        }
        guard !isAtEnd, !run.isEnding else { return }
        try takeNext(&run)
      }
    } catch {
      isAtEnd = true
      run.control.fail(error.description)
    }
  }

  /// Takes the next run of records, or handles what the source reports instead.
  private func takeNext(_ run: inout Run) throws(LogError) {
    switch try source.next() {
    case .records(let records): try take(records, &run)
    case .gap(let bytes):
      for way in 0..<reading.groupers.count { reading.groupers[way].discardOpen() }
      if source.salvages {
        run.control.messages.say(GivenUp.place(bytes, of: path, isDecoded: source.isDecoded))
      }
    case .damaged(let error): throw error
    case .idle:
      run.publish()
      if run.control.mailbox.wait(milliseconds: -1, or: source.waitDescriptor) { run.handleCommands() }
    // A captured log isn't overwritten while it is read.
    case .overrun: break
    case .end: isAtEnd = true
    }
  }

  private func take(_ records: RecordRun<Source.Layout>, _ run: inout Run) throws(LogError) {
    run.countRead(records.byteCount)
    way = 0
    for way in 0..<reading.groupers.count {
      let orphans = reading.groupers[way].statistics.orphans
      let picked = source.picked(of: records)
      _ =
        Source.recordsStandAlone
        ? reading.groupers[way].addEach(records, picked) : reading.groupers[way].add(records, picked)
      if reading.groupers[way].statistics.orphans > orphans {
        unsafe reading.strays.note(
          offset: source.offset(of: records.start), vxid: Source.Layout.vxid(records.start))
      }
      if let vxid = reading.groupers[way].oversized {
        throw .damaged(
          path: path, offset: unsafe source.offset(of: records.start), isDecoded: source.isDecoded,
          problem: "transaction \(vxid) has more than \(GroupingOptions.storedBytesMax) bytes and no end")
      }
    }
  }

  /// When a group ended: the last time in the first of its transactions that has any.
  private func endTime(of group: TransactionGroup<Source.Layout>) -> Int64? {
    for index in 0..<group.count {
      var last: Int64?
      var cursor = group[index].makeCursor()
      while let record = cursor.next() {
        guard record.tag == timestamp else { continue }
        if let time = record.payload.droppingFinalNULs.field(2).flatMap({ RecordedTime($0) }) {
          last = time.nanoseconds
        }
      }
      if let last { return last }
    }
    return nil
  }

  override func handOver(to run: inout Run) throws(RunError) {
    guard let group = pending else { return }
    pending = nil
    try run.prepare(for: source.numbering, single: source.singleNumbering)
    run.hand(group, of: way, &reading, from: &source)
  }

  override func end(_ run: inout Run) {
    run.end(&reading)
    run.report(source.account, path, salvages: source.salvages)
    run.report(incomplete: source.incompleteCount, path)
    guard !source.beginsAnywhere else { return }
    run.report(reading.strays, unknownTags: source.unknownTags, path: path, isDecoded: source.isDecoded)
  }
}

extension Run {
  /// How many groups are handed over between two looks at the commands.
  private static var groupsPerTurn: Int { 256 }

  /// Reads logs side by side to their ends, and puts their groups in the order in which they ended.
  mutating func merge(_ inputs: [MergedInput]) throws(RunError) {
    announceReady()
    standing.state = .reading
    for input in inputs { input.advance(&self) }
    var count = 0
    while !isEnding {
      if count % Self.groupsPerTurn == 0 {
        begin(turnAt: control.clock.now())
        lookAtOutputs()
        handleCommands()
      }
      count += 1
      guard let next = Self.earliest(of: inputs) else { break }
      try next.handOver(to: &self)
      next.advance(&self)
    }
    for input in inputs { input.end(&self) }
  }

  /// The input whose next group ended first; of several with the same time, the one that was given first.
  private static func earliest(of inputs: [MergedInput]) -> MergedInput? {
    var earliest: (input: MergedInput, time: Int64)?
    for input in inputs {
      guard let time = input.time else { continue }
      if let found = earliest, found.time <= time { continue }
      earliest = (input, time)
    }
    return earliest?.input
  }

  /// Counts bytes of records that were read.
  mutating func countRead(_ byteCount: Int) {
    readBytes += byteCount
    for index in 0..<routes.count { routes[index].ledger.readBytes += byteCount }
  }
}
