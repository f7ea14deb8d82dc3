import Platform
import LogQuery
import Rendering
import Shipping
import Spool
import Transactions
import VarnishLog

/// The reading thread's side of one output: which groups it takes, how they are rendered, and the spool that
/// takes the entries.
///
/// Each route has its own selection, spool and ledger, so that routes don't affect each other.
struct Route: ~Copyable {
  let configuration: OutputConfiguration
  /// The name in messages and in the accounting.
  let name: String
  /// A number that no other route of the run has.
  let serial: Int
  /// Where entries go; nil only while the outlet is replaced.
  var outlet: Outlet?
  /// The kind of content that the output's sink takes.
  let content: EntryContent
  /// Whether the source is held back when the spool is full.
  let waitsForRoom: Bool

  /// What the reading thread has counted; `account` adds the output's numbers.
  var ledger = Ledger()
  /// How many groups the present grouper has sorted out; added to `ledger` when the route leaves the grouper.
  private var sortedOutCount = 0
  /// What the present grouper had counted before this route took groups from it.
  private var formerStatistics = GroupingStatistics()
  /// Groups that began in front of this place may lack records that are shown.
  private var completeFrom: UInt64 = 0
  /// Whether the route has begun at a reload and has yet to join a grouper.
  var isNew = false
  /// Whether the route follows another output that was handed such groups: then they are taken as they are.
  let isSuccessor: Bool
  /// The losses that the output doesn't mention yet.
  var gap: Gap
  /// The notation of the notices of losses.
  private(set) var noticeNotation = LossNotice.Notation.comment
  /// Which of the reading's groupers it takes groups from; nil while it takes records.
  var grouper: Int?
  var shown: ShownEntries?
  /// Whether the route takes the group that is being handed out.
  var isTaking = false
  /// The index of the captures that its lines are made of, among those of the run.
  var captures = 0
  var query: Query?
  var writer: SpoolWriter
  /// The mark of the next entry.
  var marks: EntryMarks
  private var rateLimiter: RateLimiter?
  /// How many more groups are to be taken.
  var groupsLeft: Int
  private let sample: Sample?
  /// Whether it takes single records instead of groups.
  let takesRecords: Bool
  /// Whether it takes the records of a log that has no transactions as they are.
  private(set) var takesSingles = false
  /// Whether it takes groups as a whole.
  let takesWholeGroups: Bool
  /// Whether every record is wanted, so that none needs to be judged before it is shown.
  let takesEveryRecord: Bool

  /// A route to an output.
  init(
    _ configuration: OutputConfiguration, serial: Int, to outlet: consuming Outlet,
    content: EntryContent, waitsForRoom: Bool, done: EntryMark = .start, isSuccessor: Bool = false,
    now: Moment
  ) {
    marks = EntryMarks(done: done)
    self.configuration = configuration
    self.serial = serial
    self.isSuccessor = isSuccessor
    writer = outlet.makeWriter()
    self.outlet = consume outlet
    self.content = content
    self.waitsForRoom = waitsForRoom
    name = configuration.displayName
    rateLimiter = configuration.rateLimit.map { RateLimiter($0, at: now.steadyNanoseconds) }
    groupsLeft = configuration.groupsMax ?? .max
    gap = Gap(now: now)
    sample = configuration.sample
    takesRecords = if case .records = configuration.shown { true } else { false }
    takesWholeGroups = if case .groups = configuration.shown { true } else { false }
    takesEveryRecord =
      configuration.queries.isEmpty && configuration.rateLimit == nil && configuration.groupsMax == nil
      && configuration.sample == nil
  }

  /// Whether the output has failed for good, as of the last look.
  ///
  /// The route goes on taking entries: they are counted as lost, or kept in the spool's directory if there is
  /// one.
  private var isBroken = false

  /// Whether the route takes nothing more, as it has all the groups that it was to take.
  var isOver: Bool { groupsLeft == 0 }

  /// Whether the run needn't go on for this route.
  var isDone: Bool { isOver || isBroken }

  /// Looks whether the output has failed for good.
  mutating func lookAtOutput() { isBroken = output?.failure != nil }

  /// Whether there is a query, even one that looks at no record.
  var hasQuery: Bool { !configuration.queries.isEmpty }

  // MARK: Getting ready for a log

  /// Compiles format, queries and rules for a log.
  ///
  /// - Parameters:
  ///   - numbering: the numbering of the tags in transactions.
  ///   - single: the numbering of the records by themselves, if the log has no transactions.
  mutating func prepare(
    _ input: InputConfiguration, _ numbering: TagNumbering, single: TagNumbering?
  ) throws(RunError) {
    let rules = input.rules(for: single ?? numbering)
    takesSingles = single != nil && configuration.takesSingles(input, rules)
    if let single, takesSingles {
      shown = try configuration.shown(input, rules, singles: single)
      // These releases count the records shown in their own way.
      if rules.isStrict { groupsLeft = .max }
    } else {
      try configuration.refuseOldOptions(input)
      shown = try configuration.shown(rules, numbering)
    }
    query = try configuration.query(rules, numbering)
    noticeNotation = try configuration.noticeNotation(rules)
  }

  /// The records that are to be picked out of transactions for lines and query.
  var wish: PickWish {
    switch shown {
    case .some(let shown): wish(besides: shown.wish)
    case nil: wish(besides: PickWish())
    }
  }

  /// The records that the grouper must keep until a transaction is finished.
  var kept: PickWish {
    switch shown {
    case .some(let shown): wish(besides: shown.kept)
    case nil: wish(besides: PickWish())
    }
  }

  /// The records that the query looks at, and others.
  private func wish(besides other: PickWish) -> PickWish {
    var wish = other
    switch query {
    case .some(let query): wish.formUnion(query.wish)
    case nil: break
    }
    return wish
  }

  // MARK: Accounting

  /// Notes how many groups the grouper has sorted out so far.
  mutating func note(_ statistics: GroupingStatistics) {
    sortedOutCount = sortedOut(statistics) - sortedOut(formerStatistics)
  }

  private func sortedOut(_ statistics: GroupingStatistics) -> Int {
    statistics.ruledOut + (takesWholeGroups ? statistics.discardedGroups : statistics.discarded)
  }

  /// Joins a grouper that other routes have used before.
  ///
  /// - Parameter completeFrom: the place from which on its groups have all records that are shown.
  mutating func join(_ statistics: GroupingStatistics, completeFrom: UInt64) {
    formerStatistics = statistics
    self.completeFrom = completeFrom
  }

  /// Takes over the counts of a grouper that has ended, or that the route leaves.
  mutating func count(_ statistics: GroupingStatistics) {
    note(statistics)
    ledger[.unwanted] += sortedOutCount
    sortedOutCount = 0
    ledger.incompleteByLimit += statistics.overflowed - formerStatistics.overflowed
    ledger.incompleteByTimeout += statistics.timedOut - formerStatistics.timedOut
    join(GroupingStatistics(), completeFrom: 0)
  }

  /// How many of its losses have been reported with an account.
  private var saidLosses = 0

  /// How many entries the route has lost, apart from those that were overwritten before they were read, which
  /// are reported when it happens.
  private var losses: Int {
    let account = account()
    return account.dropped + account[.torn]
  }

  /// How many of the losses haven't been reported.
  var unsaidLosses: Int { losses - saidLosses }

  /// Notes that its account was reported.
  mutating func noteSaid() { saidLosses = losses }

  /// What has become of everything, at any moment.
  ///
  /// - Parameters:
  ///   - report: the output's numbers; nil asks the output.
  ///   - isFinal: whether the output has ended, so that what is not delivered never will be.
  func account(_ report: OutputReport? = nil, isFinal: Bool = false) -> Ledger {
    var account = ledger
    account[.unwanted] += sortedOutCount
    account.note(report ?? output?.report, isFinal: isFinal)
    return account
  }

  // MARK: Taking

  /// The outcome of taking a transaction, a group or a record.
  enum Outcome {
    case committed
    /// It was left out or lost, and is counted.
    case counted
    /// Its records were overwritten meanwhile, which is counted.
    case torn
    /// There is no room for its entry; it isn't counted yet.
    case full
  }

  /// Whether a group is wanted; it is counted if not.
  mutating func admits<Layout: RecordLayout>(_ group: TransactionGroup<Layout>, _ clock: RunClock) -> Bool {
    admits(
      takesWholeGroups ? 1 : group.count, firstPlace: group[0].firstPlace, group[0].vxid, clock
    ) { route in
      route.query?.matches(group) ?? true
    }
  }

  /// Whether a group of so many entries is wanted; it is counted if not.
  ///
  /// - Parameter isWanted: whether the query matches the group.
  @inline(__always)
  mutating func admits(
    _ count: Int, firstPlace: UInt64, _ vxid: UInt64, _ clock: RunClock, isWanted: (inout Route) -> Bool
  ) -> Bool {
    if marks.areNextDone(count) {
      passOver(count)
      return false
    }
    guard selects(count, firstPlace, vxid, clock, isWanted) else {
      marks.advance(by: count)
      return false
    }
    return true
  }

  /// Advances past entries that an earlier run has done.
  mutating func passOver(_ count: Int = 1) {
    ledger.repeated += count
    marks.advance(by: count)
  }

  @inline(__always)
  private mutating func selects(
    _ count: Int, _ firstPlace: UInt64, _ vxid: UInt64, _ clock: RunClock, _ isWanted: (inout Route) -> Bool
  ) -> Bool {
    if firstPlace < completeFrom, leavesOut(count) { return false }
    guard let cause = objection(isWanted(&self), vxid, clock) else {
      if !gap.isEmpty { markGap() }
      return true
    }
    ledger[cause] += count
    return false
  }

  /// Whether a group that may lack records is left out; it is counted in either case.
  private mutating func leavesOut(_ count: Int) -> Bool {
    if isSuccessor {
      ledger.incompleteByReload += 1
    } else {
      ledger[.unwanted] += count
    }
    return !isSuccessor
  }

  mutating func objection(_ isWanted: Bool, _ vxid: UInt64, _ clock: RunClock) -> Ledger.Cause? {
    guard isWanted else { return .unwanted }
    if let sample, !sample.includes(vxid) { return .sampledOut }
    if rateLimiter?.admits(at: clock.now().steadyNanoseconds) == false { return .rateLimited }
    return nil
  }

  /// Notes that a group was taken.
  mutating func countTaken() {
    groupsLeft -= 1
    if configuration.isUnbuffered { publish() }
  }

  /// Counts an entry that is lost because there is no room for it.
  mutating func refuse() { refuse(output?.isDiskFull == true ? .diskFull : .spoolFull) }

  private mutating func refuse(_ cause: Ledger.Cause) {
    ledger[cause] += 1
    if configuration.marksGaps { gap.noteRefusal(cause) }
  }

  /// Room for a usual line; a longer line is rendered twice.
  private static let lineByteCountUsual = 1024
  private static let lineByteCountMax = 64 << 20
  /// Room for a group of some transactions; one of a long connection has thousands.
  static let groupByteCountUsual = 16 << 10
  private static let groupByteCountMax = 512 << 20

  /// Room for a usual entry.
  var usualByteCount: Int { takesWholeGroups ? Self.groupByteCountUsual : Self.lineByteCountUsual }

  /// Renders a transaction's line into the spool, and keeps it if the transaction is still what it was.
  ///
  /// - Parameter captures: the captures of the run from which the line takes values.
  mutating func take<Layout: RecordLayout>(
    _ transaction: Transaction<Layout>, _ captures: inout Captures, isIntact: () -> Bool
  ) -> Outcome {
    let result: RenderResult
    switch shown {
    case .lines(let maker)?:
      result = Self.render(
        to: &writer, marks.next, usual: Self.lineByteCountUsual, limit: Self.lineByteCountMax,
        isIntact: isIntact
      ) { maker.value.render(transaction, &captures, to: &$0) }
      if maker.value.composer.lastLineHasCutValue, case .kept = result { ledger.truncated += 1 }
    default: result = .nothing
    }
    return count(result)
  }

  /// Renders a group into the spool, and keeps it if the group is still what it was.
  mutating func take<Layout: RecordLayout>(
    _ group: TransactionGroup<Layout>, isIntact: () -> Bool
  ) -> Outcome {
    let result: RenderResult
    switch shown {
    case .groups(let renderer)?:
      result = Self.render(
        to: &writer, marks.next, usual: Self.groupByteCountUsual, limit: Self.groupByteCountMax,
        isIntact: isIntact
      ) { renderer.value.render(group, to: &$0) }
    default: result = .nothing
    }
    return count(result)
  }

  /// Renders a record into the spool, and keeps it if the record is still what it was.
  mutating func take<Layout: RecordLayout>(
    _ record: Record<Layout>, isIntact: () -> Bool
  ) -> Outcome {
    let result: RenderResult
    switch shown {
    case .records(let renderer)?:
      result = Self.render(
        to: &writer, marks.next, usual: Self.lineByteCountUsual, limit: Self.lineByteCountMax,
        isIntact: isIntact
      ) { renderer.value.render(record, to: &$0) }
    default: result = .nothing
    }
    return count(result)
  }

  @inline(__always)
  mutating func count(_ result: RenderResult) -> Outcome {
    switch result {
    case .kept:
      ledger.committed += 1
      return .committed
    case .nothing:
      ledger[.unwanted] += 1
      return .counted
    case .torn:
      ledger[.torn] += 1
      if configuration.marksGaps { gap.noteTorn() }
      return .torn
    case .oversize:
      refuse(.oversize)
      return .counted
    case .full: return .full
    }
  }

  /// The outcome of rendering an entry.
  enum RenderResult {
    case kept
    /// There was nothing to show.
    case nothing
    case torn
    case full
    /// It is larger than any entry may be.
    case oversize
  }

  /// Renders an entry into the spool.
  ///
  /// - Parameters:
  ///   - mark: the entry's mark.
  ///   - usual: how many bytes of room to begin with.
  ///   - limit: the size in bytes beyond which an entry isn't kept.
  ///   - render: returns whether there is anything to keep.
  @inline(__always)
  private static func render(
    to writer: inout SpoolWriter, _ mark: EntryMark, usual: Int, limit: Int, isIntact: () -> Bool,
    _ render: (inout LineWriter) -> Bool
  ) -> RenderResult {
    var wanted = usual
    while true {
      guard wanted <= limit, case .room(let room) = writer.reserve(wanted) else {
        // For the right count, it must be known whether there would have been anything to keep.
        var nowhere = unsafe LineWriter(UnsafeMutableRawBufferPointer(start: nil, count: 0))
        return render(&nowhere) ? wanted <= limit ? .full : .oversize : .nothing
      }
      var line = unsafe LineWriter(room)
      guard render(&line) else { return .nothing }
      if line.overflowed {
        wanted = room.count * 2
        continue
      }
      guard isIntact() else { return .torn }
      writer.commit(line.count, mark)
      return .kept
    }
  }

  /// Makes all committed entries visible to the output.
  mutating func publish() { writer.publish() }

  /// Tells the output that no more entries will come.
  mutating func finish() {
    if !gap.isEmpty { markGap(isLast: true) }
    writer.finish()
  }
}
