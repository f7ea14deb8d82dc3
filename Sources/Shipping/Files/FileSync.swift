import Platform

/// Decides when written entries are put on the disk, and does it.
///
/// With a checkpoint, its standing is noted as being on the disk after that, so that it holds after a power
/// cut, too.
struct FileSync {
  private enum Need {
    case none
    /// Entries were written.
    case data
    /// The file is new or another one: its name, too, must be on the disk before entries are.
    case beginning
  }

  /// Once a second, where there is a checkpoint and no policy was given.
  private static let usualNanoseconds: Int64 = 1_000_000_000
  /// The pause before another attempt where there is no interval.
  private static let retryNanoseconds: Int64 = 1_000_000_000

  private let wanted: SyncPolicy?
  private let warn: @Sendable (String) -> Void
  private var journal: OutputJournal?
  private var need = Need.none
  /// The time of the last attempt, by the steady clock.
  private var last: Int64?
  private var trouble = Trouble<FailedOperation>()

  init(_ wanted: SyncPolicy?, warn: @escaping @Sendable (String) -> Void) {
    self.wanted = wanted
    self.warn = warn
  }

  private var policy: SyncPolicy {
    wanted ?? (journal == nil ? .never : .interval(nanoseconds: Self.usualNanoseconds))
  }

  /// Has the journal note what is on the disk.
  mutating func keep(_ journal: OutputJournal) {
    self.journal = journal
    need = .beginning
  }

  /// Notes that entries were written.
  mutating func noteWrite() { if need == .none { need = .data } }

  /// Notes that entries are going to be written to another file.
  mutating func noteBeginning() { if journal != nil { need = .beginning } }

  /// Notes that the file was put on the disk, together with its name.
  mutating func noteSync() {
    need = .none
    if policy != .never { journal?.didSync() }
  }

  /// In how many nanoseconds the file is to be synchronized; nil if not by the clock.
  func wait(_ series: FileSeries, at now: Moment) -> Int64? {
    guard need != .none, policy != .never, series.current != nil, series.place != nil else { return nil }
    guard let last else { return 0 }
    let pause: Int64
    switch policy {
    case .never, .eachBatch: pause = trouble.isThere ? Self.retryNanoseconds : 0
    case .interval(let nanoseconds):
      // A new file is synchronized at once, so that a note never names a file that isn't on the disk.
      pause = need == .beginning ? (trouble.isThere ? Self.retryNanoseconds : 0) : nanoseconds
    }
    return pause - (now.steadyNanoseconds - last)
  }

  /// Puts on the disk what was written, when it is due.
  ///
  /// - Parameter onlyBeginning: whether the file is synchronized only if it is new.
  mutating func runIfDue(_ series: inout FileSeries, at now: Moment, onlyBeginning: Bool = false) {
    guard let wait = wait(series, at: now), wait <= 0, need == .beginning || !onlyBeginning else { return }
    run(&series, at: now)
  }

  /// Prepares a change of the file's beginning: where files are synchronized at all, the written entries must
  /// be on the disk before, as the disk may otherwise have only one of the two after a power cut.
  ///
  /// - Returns: false if they aren't.
  mutating func prepareChangeOfBeginning(_ series: inout FileSeries, at now: Moment) -> Bool {
    guard policy != .never else { return true }
    run(&series, at: now)
    return need == .none
  }

  /// Puts on the disk what was written, if anything was.
  mutating func run(_ series: inout FileSeries, at now: Moment) {
    guard need != .none, policy != .never, series.place != nil, let file = series.current?.file else {
      return
    }
    last = now.steadyNanoseconds
    do {
      try file.synchronize(isWhole: need == .beginning)
      if need == .beginning { series.synchronizeDirectory() }
      FaultPoint.syncDone.pass()
      journal?.didSync()
      FaultPoint.syncNoted.pass()
      need = .none
      trouble.end()
    } catch {
      trouble.say(error, "a power cut now could lose lines; it is tried again", warn)
    }
  }
}
