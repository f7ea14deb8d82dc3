import LineFormat
import ShmLog
import Shipping
import Transactions

/// The reader's end of one output: which transactions it wants, how they look, and the spool they go to.
struct Lane: ~Copyable {
  private let selection: Selection
  private var renderer: LineRenderer
  private var writer: SpoolWriter

  init(_ selection: Selection, renderer: consuming LineRenderer, writer: consuming SpoolWriter) {
    self.selection = selection
    self.renderer = renderer
    self.writer = writer
  }

  /// What came of a transaction.
  enum Outcome {
    case committed
    case filtered
    /// There was no room for the line.
    case refused
    /// What the line was made of was overwritten meanwhile.
    case torn
  }

  /// Room for a usual line; a longer one is rendered twice.
  private static let lineByteCountUsual = 1024
  /// No line is longer.
  private static let lineByteCountMax = 64 << 20

  /// Renders a transaction's line into the spool, and keeps it if the transaction is still what it was.
  mutating func take<Layout: RecordLayout>(
    _ transaction: Transaction<Layout>, isIntact: () -> Bool
  ) -> Outcome {
    guard selection.includes(transaction) else { return .filtered }
    var wanted = Self.lineByteCountUsual
    while true {
      guard wanted <= Self.lineByteCountMax, let room = writer.reserve(wanted) else {
        // Whether it would have given a line must be known to count it right.
        var nowhere = LineWriter(UnsafeMutableRawBufferPointer(start: nil, count: 0))
        return renderer.render(transaction, to: &nowhere) == .line ? .refused : .filtered
      }
      var line = LineWriter(room)
      let outcome = renderer.render(transaction, to: &line)
      if outcome == .noLine { return .filtered }
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
  mutating func change(to renderer: consuming LineRenderer) { self.renderer = renderer }

  /// The tags whose records must survive until a transaction is finished.
  var neededTags: TagSet { renderer.neededTags }

  mutating func publish() { writer.publish() }

  mutating func finish() { writer.finish() }
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
