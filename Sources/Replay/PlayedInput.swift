import LogReading
import Transactions
import VarnishLog

/// A captured log that is being played: what comes next of it, and how that is written.
///
/// It holds what comes next and reads no further until that was played, so that several can be played side by side.
protocol PlayedInput: AnyObject {
  /// What messages call it.
  var path: String { get }
  /// The latest time that it has reached, in nanoseconds since 1970; 0 before there was one.
  var latest: Int64 { get }

  /// Reads up to what comes next.
  ///
  /// - Parameter needsTimes: whether it matters when it was recorded.
  /// - Throws: `LogError` where the log can't be read any further.
  func advance(needsTimes: Bool) throws(LogError) -> PlayedStep

  /// Writes what comes next.
  ///
  /// - Parameter timeShift: by how many nanoseconds times are moved; nil if they aren't.
  func play(timeShift: Int64?)

  /// How many transactions were written to their end since this was asked last.
  func takeTransactions() -> Int

  /// How far apart the numbers are that transactions have had in it.
  var spanCount: UInt64 { get }

  /// What is wrong with what was passed, though it could be read; nil if nothing is.
  var fault: String? { get }

  /// What of it couldn't be played.
  var omission: PlayedOmission { get }
}

/// What comes next of a captured log.
enum PlayedStep {
  /// Records that are written together.
  case unit(RunPlayer.Survey)
  /// Nothing yet; there may be when this can be read.
  case idle(Int32?)
  case end
}

/// What of a captured log couldn't be played.
struct PlayedOmission {
  /// A line for each kind.
  var lines: [String] = []
  /// Whether something is lost that had been there.
  var isLoss = false
}

/// A captured log of one kind that is being played.
final class PlayedSource<Source: CapturedSource & ~Copyable>: PlayedInput {
  let path: String
  private(set) var latest: Int64 = 0
  private var source: Source
  private var player: RunPlayer
  /// What finds the whole transactions of a log that has pieces of others; nil if all of it is played as it is.
  private var grouper: Grouper<Source.Layout>?
  /// The live log's numbers for the tags of what belongs to no connection, if the log has no transactions.
  private let unconnected: [UInt8?]
  private let say: ((String) -> Void)?
  private var pending = Unit.none
  private var survey = RunPlayer.Survey()

  /// What comes next; valid until the source or the grouper is asked again.
  private enum Unit {
    case none
    case run(RecordRun<Source.Layout>)
    case transaction(Transaction<Source.Layout>)
    case single(RecordRun<Source.Layout>, number: UInt8)
  }

  /// - Parameter say: told which places are given up; nil if that was said before.
  init(
    _ source: consuming Source, _ path: String, _ player: consuming RunPlayer, to target: TagNumbering,
    say: ((String) -> Void)?
  ) {
    // What belongs to no transaction is played, too.
    source.includesUnattributed = true
    unconnected =
      source.singleNumbering.map { Conversion.unconnected(from: $0, to: target) }
      ?? Array(repeating: nil, count: 256)
    if source.beginsAnywhere, !Source.makesTransactions {
      var options = GroupingOptions(
        grouping: .vxid, candidateRule: .everything, wantsClient: true, wantsBackend: true, wantsESI: true)
      // Only memory limits what may be open.
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
      // Nothing overtakes the reader of what was captured.
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
