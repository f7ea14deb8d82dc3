import Platform

/// When what was written to the file is put on the disk, and how that goes.
///
/// With a checkpoint, what it says is noted as being on the disk behind that, so that it holds after a power cut, too.
struct FileSync {
  private enum Need {
    case none
    /// Entries were written.
    case data
    /// The file is new, or another one: its name, too, must be there before entries are.
    case beginning
  }

  /// Once a second, where there is a checkpoint and nothing else is asked for.
  private static let usualNanoseconds: Int64 = 1_000_000_000
  /// When it is tried again where there is no interval.
  private static let retryNanoseconds: Int64 = 1_000_000_000

  private let wanted: SyncPolicy?
  private let warn: @Sendable (String) -> Void
  private var journal: OutputJournal?
  private var need = Need.none
  /// When it was tried last, by the steady clock.
  private var last: Int64?
  private var trouble = Trouble<FailedOperation>()

  init(_ wanted: SyncPolicy?, warn: @escaping @Sendable (String) -> Void) {
    self.wanted = wanted
    self.warn = warn
  }

  private var policy: SyncPolicy {
    wanted ?? (journal == nil ? .never : .interval(nanoseconds: Self.usualNanoseconds))
  }

  /// Has it noted what is on the disk.
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

  /// In how many nanoseconds it is due; nil if not by the clock.
  func wait(_ series: FileSeries, at now: Moment) -> Int64? {
    guard need != .none, policy != .never, series.current != nil, series.place != nil else { return nil }
    guard let last else { return 0 }
    let pause: Int64
    switch policy {
    case .never, .eachBatch: pause = trouble.isThere ? Self.retryNanoseconds : 0
    case .interval(let nanoseconds):
      // A new file is waited for, so that what is noted of it never lacks a file.
      pause = need == .beginning ? (trouble.isThere ? Self.retryNanoseconds : 0) : nanoseconds
    }
    return pause - (now.steadyNanoseconds - last)
  }

  /// Puts on the disk what was written, when it is due.
  ///
  /// - Parameter onlyBeginning: whether it is waited for only if the file is new.
  mutating func runIfDue(_ series: inout FileSeries, at now: Moment, onlyBeginning: Bool = false) {
    guard let wait = wait(series, at: now), wait <= 0, need == .beginning || !onlyBeginning else { return }
    run(&series, at: now)
  }

  /// Sees to it that the beginning of the file may be changed: where what was written is put on the disk at all, it must
  /// be there before that, as the disk may otherwise have the one without the other after a power cut.
  ///
  /// - Returns: false if it isn't there.
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
