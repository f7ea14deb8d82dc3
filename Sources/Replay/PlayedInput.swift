import LogReading
import Transactions
import VarnishLog

/// A captured log that is being replayed: reads its next unit, and writes it.
///
/// It holds one unit and reads no further until the unit was written, so that several inputs can be played
/// side by side.
protocol PlayedInput: AnyObject {
  /// The input's name in messages.
  var path: String { get }
  /// The latest time reached in the log, in nanoseconds since 1970; 0 before the first time.
  var latest: Int64 { get }

  /// Reads the next unit.
  ///
  /// - Parameter needsTimes: whether the time at which the unit was recorded is needed.
  /// - Throws: `LogError` if the log can't be read any further.
  func advance(needsTimes: Bool) throws(LogError) -> PlayedStep

  /// Writes the unit that was read last.
  ///
  /// - Parameter timeShift: by how many nanoseconds times are moved; nil leaves them unchanged.
  func play(timeShift: Int64?)

  /// How many transactions were completed since the last call.
  func takeTransactions() -> Int

  /// The size of the range of transactions' numbers read so far.
  var spanCount: UInt64 { get }

  /// A message about records that could be read but aren't known; nil if there were none.
  var fault: String? { get }

  /// The parts of the log that couldn't be played.
  var omission: PlayedOmission { get }
}

/// The result of reading a captured log's next unit.
enum PlayedStep {
  /// There is a unit: records that are written together.
  case unit(RunPlayer.Survey)
  /// There is none yet; there may be when the file descriptor is readable.
  case idle(Int32?)
  case end
}

/// The parts of a captured log that couldn't be played.
struct PlayedOmission {
  /// A message for each kind of part.
  var lines: [String] = []
  /// Whether records are lost that the log had.
  var isLoss = false
}

/// A captured log with one layout that is being replayed.
final class PlayedSource<Source: CapturedSource & ~Copyable>: PlayedInput {
  let path: String
  private(set) var latest: Int64 = 0
  private var source: Source
  private var player: RunPlayer
  /// Finds the whole transactions in a log that may have incomplete ones; nil if all records are played as
  /// they are.
  private var grouper: Grouper<Source.Layout>?
  /// The live log's numbers for tags whose records belong to no connection, if the captured log has no
  /// transactions.
  private let unconnected: [UInt8?]
  private let say: ((String) -> Void)?
  private var pending = Unit.none
  private var survey = RunPlayer.Survey()

  /// The unit that was read last; valid until the source or the grouper is asked again.
  private enum Unit {
    case none
    case run(RecordRun<Source.Layout>)
    case transaction(Transaction<Source.Layout>)
    case single(RecordRun<Source.Layout>, number: UInt8)
  }

  /// - Parameter say: takes messages about places in the log that are given up; nil if a pass reported them
  ///   before.
  init(
    _ source: consuming Source, _ path: String, _ player: consuming RunPlayer, to target: TagNumbering,
    say: ((String) -> Void)?
  ) {
    // Records that belong to no transaction are played, too.
    source.includesUnattributed = true
    unconnected =
      source.singleNumbering.map { Conversion.unconnected(from: $0, to: target) }
      ?? Array(repeating: nil, count: 256)
    if source.beginsAnywhere, !Source.makesTransactions {
      var options = GroupingOptions(
        grouping: .vxid, candidateRule: .everything, wantsClient: true, wantsBackend: true, wantsESI: true)
      // The number of open transactions is limited only to bound memory.
      options.openTransactionsMax = 100_000
      grouper = Grouper(options: options, tags: TagTable(source.numbering))
    }
    self.source = source
    self.player = player
    self.say = say
    self.path = path
  }

  func advance(needsTimes: Bool) throws(LogError) -> PlayedStep {
    while true {
      if let group = grouper?.next() {
        if group.containsForced { continue }
        let transaction = group[0]
        return unit(.transaction(transaction), player.survey(transaction, needsTimes: needsTimes))
      }
      switch try source.next() {
      case .records(let run):
        if Source.makesTransactions, run.shape == .single {
          var cursor = run.makeCursor()
          guard let number = cursor.next().flatMap({ unconnected[Int($0.tag)] }) else { continue }
          return unit(.single(run, number: number), RunPlayer.Survey())
        }
        let vxid = unsafe Source.Layout.vxid(run.start)
        if grouper == nil || vxid == 0 {
          return unit(.run(run), player.survey(run, needsTimes: needsTimes))
        }
        try group(run)
      case .gap(let bytes):
        grouper?.discardOpen()
        if source.salvages { say?(GivenUp.place(bytes, of: path, isDecoded: source.isDecoded)) }
      case .idle: return .idle(source.waitDescriptor)
      case .end: return .end
      case .damaged(let error): throw error
      // A captured log has no writer that could overtake its reader.
      case .overrun: continue
      }
    }
  }

  private func group(_ run: RecordRun<Source.Layout>) throws(LogError) {
    _ = Source.recordsStandAlone ? grouper?.addEach(run) : grouper?.add(run)
    guard let vxid = grouper?.oversized else { return }
    throw .damaged(
      path: path, offset: unsafe source.offset(of: run.start), isDecoded: source.isDecoded,
      problem: "transaction \(vxid) has more than \(GroupingOptions.storedBytesMax) bytes and no end")
  }

  private func unit(_ unit: Unit, _ survey: RunPlayer.Survey) -> PlayedStep {
    pending = unit
    self.survey = survey
    latest = max(latest, survey.recorded ?? 0)
    return .unit(survey)
  }

  func play(timeShift: Int64?) {
    if let timeShift { player.editor.timeShift = timeShift }
    switch pending {
    case .none: break
    case .run(let run): player.play(run, survey)
    case .transaction(let transaction): player.play(transaction, survey)
    case .single(let run, let number): player.play(single: run, number: number)
    }
    pending = .none
  }

  func takeTransactions() -> Int { player.takeTransactions() }

  var spanCount: UInt64 { player.span.count }

  var fault: String? {
    guard let tags = source.unknownTags else { return nil }
    return LogError.place(path, tags.firstOffset, isDecoded: source.isDecoded)
      + ": a record of tag \(tags.firstTag), which is not known (\(tags.count) in all)"
  }

  var omission: PlayedOmission {
    var omission = PlayedOmission()
    if let summary = source.givenUp.summary(of: path) {
      omission = PlayedOmission(lines: [summary], isLoss: true)
    }
    if let summary = source.account?.summary(of: path, salvages: source.salvages) {
      omission.lines.append(summary)
    }
    if source.incompleteCount > 0 {
      omission.lines.append("\(path): " + LogError.incomplete(source.incompleteCount))
    }
    return omission
  }
}
