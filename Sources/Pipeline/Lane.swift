import Rendering
import Spool
import Transactions
import VarnishLog

/// The reader's end of one output: what is made of transactions or groups, and the spool that goes to.
struct Lane: ~Copyable {
  private var maker: LineMaker?
  private var groups: GroupRenderer?
  private var writer: SpoolWriter

  /// The tags whose records must survive until a transaction is finished.
  private(set) var neededTags: TagSet

  /// A lane for a line of each transaction.
  init(_ selection: Selection, renderer: consuming LineRenderer, writer: consuming SpoolWriter) {
    neededTags = renderer.neededTags
    maker = LineMaker(selection: selection, renderer: renderer)
    groups = nil
    self.writer = writer
  }

  /// A lane for groups as a whole, or for records singly.
  init(_ renderer: consuming GroupRenderer, writer: consuming SpoolWriter) {
    neededTags = .all
    maker = nil
    groups = consume renderer
    self.writer = writer
  }

  /// What came of a transaction, a group or a record.
  enum Outcome {
    case committed
    case filtered
    /// There was no room for it.
    case refused
    /// What it was made of was overwritten meanwhile.
    case torn
  }

  /// Room for a usual line; what is longer is rendered twice.
  private static let lineByteCountUsual = 1024
  private static let lineByteCountMax = 64 << 20
  /// Room for a group of some transactions; one of a long connection has thousands.
  private static let groupByteCountUsual = 16 << 10
  private static let groupByteCountMax = 512 << 20

  /// Renders a transaction's line into the spool, and keeps it if the transaction is still what it was.
  ///
  /// - Parameter captured: what was picked out of the transaction already, if that is so.
  mutating func take<Layout: RecordLayout>(
    _ transaction: Transaction<Layout>, _ captured: CapturedRecords<Layout>? = nil,
    isIntact: () -> Bool
  ) -> Outcome {
    Self.take(
      &maker, to: &writer, usual: Self.lineByteCountUsual, limit: Self.lineByteCountMax,
      isIntact: isIntact
    ) { maker, line in maker?.render(transaction, captured, to: &line) ?? false }
  }

  /// The same for what is shown of a group.
  mutating func take<Layout: RecordLayout>(
    _ group: TransactionGroup<Layout>, isIntact: () -> Bool
  ) -> Outcome {
    Self.take(
      &groups, to: &writer, usual: Self.groupByteCountUsual, limit: Self.groupByteCountMax,
      isIntact: isIntact
    ) { groups, text in groups?.render(group, to: &text) ?? false }
  }

  /// The same for one record.
  mutating func take<Layout: RecordLayout>(
    _ record: Record<Layout>, isIntact: () -> Bool
  ) -> Outcome {
    Self.take(
      &groups, to: &writer, usual: Self.lineByteCountUsual, limit: Self.lineByteCountMax,
      isIntact: isIntact
    ) { groups, text in groups?.render(record, to: &text) ?? false }
  }

  /// How many records are rendered before they are checked and kept.
  private static let batchCount = 64

  /// What came of a run's records.
  struct Tallies {
    var committed = 0, filtered = 0, torn = 0
  }

  /// The same for every record of a run, many at a time, as long as there is room.
  mutating func take<Layout: RecordLayout>(
    each records: inout RecordCursor<Layout>, isIntact: () -> Bool
  ) -> Tallies {
    var tallies = Tallies()
    var wanted = Self.groupByteCountUsual
    withUnsafeTemporaryAllocation(of: Int.self, capacity: Self.batchCount) { ends in
      while !records.rest.isEmpty {
        guard writer.hasRoom(wanted), case .room(let room) = writer.reserve(wanted) else { return }
        // Each record that is kept takes some of the room away for itself.
        let usable = room.count - ends.count * SpoolWriter.entryOverhead
        var lines = LineWriter(UnsafeMutableRawBufferPointer(rebasing: room[..<max(0, usable)]))
        guard let batch = groups?.render(each: &records, to: &lines, ends: ends) else { return }
        tallies.filtered += batch.hidden
        if batch.shown == 0, batch.hidden == 0 {
          // What is left is no whole record, or needs more room.
          guard batch.isFull else { return }
          wanted = room.count * 2
          continue
        }
        guard isIntact() else {
          tallies.torn += 1
          return
        }
        var start = 0
        for index in 0..<batch.shown {
          writer.commit(ends[index] - start)
          start = ends[index]
        }
        tallies.committed += batch.shown
      }
    }
    return tallies
  }

  /// Has something rendered into the spool.
  ///
  /// - Parameters:
  ///   - usual: how much room to begin with.
  ///   - limit: what takes more is refused.
  ///   - render: returns whether there is anything to keep.
  @inline(__always)
  private static func take<Renderer: ~Copyable>(
    _ renderer: inout Renderer, to writer: inout SpoolWriter, usual: Int, limit: Int,
    isIntact: () -> Bool, render: (inout Renderer, inout LineWriter) -> Bool
  ) -> Outcome {
    var wanted = usual
    while true {
      guard wanted <= limit, case .room(let room) = writer.reserve(wanted) else {
        // Whether there would have been anything must be known to count it right.
        var nowhere = LineWriter(UnsafeMutableRawBufferPointer(start: nil, count: 0))
        return render(&renderer, &nowhere) ? .refused : .filtered
      }
      var line = LineWriter(room)
      guard render(&renderer, &line) else { return .filtered }
      if line.overflowed {
        wanted = room.count * 2
        continue
      }
      guard isIntact() else { return .torn }
      writer.commit(line.count)
      return .committed
    }
  }

  /// Compiles the format anew, for a log with other tags.
  mutating func change(to renderer: consuming LineRenderer) {
    neededTags = renderer.neededTags
    maker?.renderer = renderer
  }

  /// The same for groups.
  mutating func change(to renderer: consuming GroupRenderer) { groups = consume renderer }

  mutating func publish() { writer.publish() }

  mutating func finish() { writer.finish() }
}

/// Makes lines of those transactions that are wanted.
private struct LineMaker: ~Copyable {
  let selection: Selection
  var renderer: LineRenderer

  mutating func render<Layout: RecordLayout>(
    _ transaction: Transaction<Layout>, _ captured: CapturedRecords<Layout>?, to line: inout LineWriter
  ) -> Bool {
    selection.includes(transaction) && renderer.render(transaction, captured, to: &line) == .line
  }
}

/// Which transactions of a group give a line (`ncsa-format.md` 3).
struct Selection: Sendable {
  let client: Bool, backend: Bool, esi: Bool
  /// Whether everything that was let through at its beginning counts.
  let isPermissive: Bool

  init(_ options: PipelineOptions, rules: NCSARules) {
    let impliesClient = options.esi && rules.impliesClientByESI
    client = options.client || !options.backend || impliesClient
    backend = options.backend
    esi = options.esi && rules.hasESIOption
    isPermissive = rules.candidateRule != .everything
  }

  func includes<Layout>(_ transaction: Transaction<Layout>) -> Bool {
    switch transaction.type {
    case .unknown, .session: false
    case .request: isPermissive || (client && (esi || transaction.reason != .esi))
    case .backendRequest: isPermissive || backend
    }
  }
}
