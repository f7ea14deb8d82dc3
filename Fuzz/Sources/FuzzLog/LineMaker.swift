import FuzzSupport
import Rendering
import Transactions
import VarnishLog

/// Makes lines from records, and checks every promise on the way.
///
/// Each run of records is copied into memory of exactly its size, which is freed as soon as the grouper is
/// done with the run: the address sanitizer then sees every read beyond the run and every read that comes too
/// late.
struct LineMaker<Layout: RecordLayout>: ~Copyable {
  /// All lines so far.
  private(set) var output: [UInt8] = []
  /// Whether each line is rendered again, with just enough room and with too little.
  private let rendersAgain: Bool
  private let grouping: Grouping
  private let stepNanoseconds: Int64
  private var grouper: Grouper<Layout>
  private var renderer: LineRenderer
  private let check: LineCheck

  init(_ scenario: Scenario, numbering: TagNumbering, rendersAgain: Bool) {
    self.rendersAgain = rendersAgain
    let tags = TagTable(numbering)
    let (format, shape) = FormatShelf.shared.format(at: scenario.formatIndex, rules: scenario.rules)
    renderer = LineRenderer(format, tags: tags)
    check = LineCheck(shape: shape)
    let options = scenario.groupingOptions(keeping: renderer.wish)
    grouping = options.grouping
    grouper = Grouper(options: options, tags: tags)
    stepNanoseconds = scenario.stepNanoseconds
  }

  /// Whether a transaction is too large to go on.
  var isOversized: Bool { grouper.oversized != nil }

  /// Adds records from a file.
  mutating func addEach(_ run: RecordRun<Layout>) {
    grouper.nowNanoseconds += stepNanoseconds
    let memory = Self.copy(run)
    grouper.addEach(
      RecordRun(
        start: UnsafeRawPointer(memory), byteCount: run.byteCount, shape: run.shape))
    takeGroups {}
    memory.deallocate()
  }

  /// Adds records from a ring that may be written meanwhile.
  ///
  /// - Parameters:
  ///   - inPlace: whether the records are read where they lie, as in a real run.
  ///   - meddle: called between any two reads of the records.
  ///   - isIntact: whether the records were whole until the end.
  mutating func add(
    _ run: RecordRun<Layout>, inPlace: Bool, meddle: () -> Void, isIntact: () -> Bool
  ) {
    grouper.nowNanoseconds += stepNanoseconds
    if inPlace {
      grouper.add(run)
      takeGroups(meddle)
    } else {
      meddle()
      let memory = Self.copy(run)
      grouper.add(RecordRun(start: UnsafeRawPointer(memory), byteCount: run.byteCount))
      takeGroups {}
      memory.deallocate()
    }
    if !isIntact() { grouper.discardTornPiece() }
  }

  /// Advances the grouper's clock without adding records.
  mutating func expire() {
    grouper.nowNanoseconds += stepNanoseconds
    grouper.expire()
    takeGroups {}
  }

  /// Ends the open transactions.
  mutating func flush() {
    grouper.flush()
    takeGroups {}
  }

  /// Ends the open transactions; none may stay behind.
  mutating func finish() {
    flush()
    let left = grouper.discardOpen()
    require(left == 0, "\(left) transactions are open after all were ended")
  }

  private static func copy(_ run: RecordRun<Layout>) -> UnsafeMutableRawPointer {
    let memory = UnsafeMutableRawPointer.allocate(byteCount: run.byteCount, alignment: 8)
    memory.copyMemory(from: run.start, byteCount: run.byteCount)
    return memory
  }

  private mutating func takeGroups(_ meddle: () -> Void) {
    while let group = grouper.next() {
      require(group.count > 0 && group[0].level == 1, "a group without a root")
      switch grouping {
      case .vxid: require(group.count == 1, "\(group.count) transactions in a group of one")
      case .request: require(group[0].type == .request, "a group of a \(group[0].type)")
      case .session: require(group[0].type == .session, "a group of a \(group[0].type)")
      }
      for index in 0..<group.count {
        require(group[index].vxid != 0, "a transaction without a number")
        meddle()
        render(group[index])
      }
    }
  }

  private mutating func render(_ transaction: Transaction<Layout>) {
    guard let line = LineRoom.line(of: transaction, &renderer, again: rendersAgain) else { return }
    line.withUnsafeBytes(check.examine)
    output += line
  }
}
