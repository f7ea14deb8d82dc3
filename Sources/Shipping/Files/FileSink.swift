public import Checkpoints
import Glibc
public import Platform
public import Spool

/// A file that grows, is finished and put away by size, by time or on request, plain or compressed.
///
/// After any failure, and after the process has died at any moment, a file ends in a whole entry or in a complete
/// gzip member or zstd frame. Only a write that the kill itself has cut does not; the next run repairs that before it
/// appends.
///
/// Any call may fail, and is then repeated until it works. So the sink keeps what has been achieved at every
/// step: there may be no file open, or one whose header isn't written yet, and a complete member stays in
/// memory until it can be written.
public final class FileSink: Sink {
  /// Which files are written, one after the other.
  private(set) var series: FileSeries
  /// How entries become their bytes.
  private let encoder: Encoder
  /// How long finished files are kept.
  private var retention: Retention
  /// Runs the command for finished files, and finishes those of former runs.
  private(set) var finished: FinishedFiles
  /// The link to the file that is being written.
  private var link: CurrentLink?
  /// When the retention, the finished files and the link are looked after.
  private var upkeep = Upkeep()
  /// When written entries are put on the disk.
  private var sync: FileSync
  /// The standing when the output was opened, if it continues an earlier run.
  public private(set) var resumed: OutputStanding?
  private let options: FileOptions
  private let warn: @Sendable (String) -> Void

  init(
    _ options: FileOptions, resuming resumption: FileResumption? = nil, at now: Moment, system: SystemCalls,
    schedule: RotationSchedule? = nil, warn: @escaping @Sendable (String) -> Void
  ) throws(SystemError) {
    self.options = options
    self.warn = warn
    let path = try Self.place(options, system)
    series = FileSeries(options, path: path, schedule: schedule, system: system, warn: warn)
    encoder = try Encoder(options, path: path)
    retention = Retention(options.retention, at: now, warn: warn)
    finished = FinishedFiles(options, system: system, warn: warn)
    link = options.link.map { CurrentLink(path: $0, system: system, warn: warn) }
    sync = FileSync(options.sync, warn: warn)
    try checkOptions()
    if let resumption { resumed = try series.resume(resumption, at: now) }
    try openFile(at: now, truncates: !options.appends && resumption == nil, isFirst: true)
    _ = try series.begin(encoder)
    resumed?.place = series.place
  }

  /// Refuses what could never work.
  private func checkOptions() throws(SystemError) {
    if options.retention.isLimited, !series.naming.isRecognisable {
      throw SystemError(
        operation: "keep", path: options.path,
        problem: "finished files cannot be told from others by this name")
    }
    if options.link == options.path || options.link == series.naming.template {
      throw SystemError(
        operation: "symlink", path: options.path, problem: "--symlink must not be the file itself")
    }
    try link?.check()
  }

  /// The path of the file that is being written, or of the one before as long as the next can't be opened.
  public var name: String { series.path }

  /// What entries are.
  public var content: EntryContent { options.content }

  /// The place in front of the entries in the open member.
  public var settled: SpoolPlace? { encoder.member?.start }

  /// Where the file ends: the file has all settled entries, and nothing else.
  public var place: OutputPlace? { series.place }

  /// The entries in the open member as they were; nil unless the options ask for keeping them.
  public var unsettledEntries: [EntryRun]? { encoder.member?.unsettledEntries }

  /// The tally of these entries.
  var memberContents: Tally { encoder.member?.contents ?? .zero }

  /// Has writes noted in a journal before they are made.
  public func keep(_ journal: OutputJournal) {
    series.journal = journal
    encoder.member?.hurry()
    sync.keep(journal)
    series.noteBeginning()
  }

  /// Becomes readable when a command for a finished file has ended.
  public var wakeDescriptor: Int32? { finished.wakeDescriptor }

  /// Appends whole entries, to the file or to the member that will go there.
  public func write(_ batch: EntryBatch, at now: Moment) throws(SystemError) -> SinkProgress {
    try finishWhatIsDue(now)
    if let member = encoder.member { return SinkProgress(byteCount: member.add(batch, at: now).byteCount) }
    while true {
      try makeWritable(now)
      let part = batch.prefix(batch.entryCount(reaching: series.room))
      series.noteWrite(through: part.start.sequence + part.count, byteCount: part.byteCount)
      let count = try series.current?.file.append(part)
      FaultPoint.writeDone.pass()
      if let count, !series.dropDeleted() {
        sync.noteWrite()
        sync.runIfDue(&series, at: now)
        return SinkProgress(byteCount: count)
      }
    }
  }

  /// Completes the member, however little is in it.
  public func flush(at now: Moment) throws(SystemError) {
    if let member = encoder.member, member.start != nil { try write(member, now) }
  }

  /// Completes the member, puts the file away, deletes old ones, when it is due.
  public func tick(at now: Moment) throws(SystemError) -> Int64? {
    if finished.tick(&series.catalog, at: now) { upkeep.request() }
    // A former run's files come first, also for the command.
    if upkeep.isDue(at: now) { finished.finishLeftovers(&series.catalog, besides: series.present, at: now) }
    do {
      // Deleting old files may make room for what fails here.
      defer { keepUp(now) }
      try finishWhatIsDue(now)
      sync.runIfDue(&series, at: now)
    }
    let waits = [
      finished.wait(at: now), upkeep.wait(at: now), encoder.member?.wait(at: now), series.wait(at: now),
      sync.wait(series, at: now),
    ]
    return waits.compactMap(\.self).min().map { max(0, $0) }
  }

  /// Closes the file and opens the file that has its name now, to append to it.
  public func reopen(at now: Moment) throws(SystemError) {
    if series.current == nil { followLink() } else { series.requestLettingGo() }
    try finishWhatIsDue(now)
  }

  /// Completes and closes the file; it keeps its name.
  public func close(at now: Moment) throws(SystemError) -> SinkProgress.Obstacle? {
    if try series.begin(encoder) { sync.noteBeginning() }
    try flush(at: now)
    try series.current?.file.mend()
    sync.run(&series, at: now)
    try series.close()
    return nil
  }

  /// Closes the file; a command that runs for a finished file goes on.
  public func abandon() {
    try? series.close()
    finished.abandon(&series.catalog)
  }
}

// MARK: - One step after the other

extension FileSink {
  private func finishWhatIsDue(_ now: Moment) throws(SystemError) {
    if series.isToBeLetGo { try letGo(now) }
    try makeReady(now)
    if let member = encoder.member, member.isDue(at: now) || (member.start != nil && series.isPeriodOver(now))
    {
      try write(member, now)
    }
    if series.isDue(at: now) {
      try rotate(now)
      try makeReady(now)
    }
  }

  /// Makes sure that there is a file that can be written to.
  private func makeReady(_ now: Moment) throws(SystemError) {
    if series.current == nil { try openFile(at: now, truncates: false, isFirst: false) }
    if try series.begin(encoder) { sync.noteBeginning() }
    sync.runIfDue(&series, at: now, onlyBeginning: true)
  }

  /// Makes the file ready as well if another process has emptied it.
  private func makeWritable(_ now: Moment) throws(SystemError) {
    try makeReady(now)
    if try series.renewBeginning(encoder) { sync.noteBeginning() }
  }

  private func openFile(at now: Moment, truncates: Bool, isFirst: Bool) throws(SystemError) {
    upkeep.request()
    do {
      try series.open(at: now, truncates: truncates, isFirst: isFirst)
    } catch {
      // The file may have been made even so, and the next attempt may use another name.
      finished.noteLeftovers()
      throw error
    }
  }

  private func write(_ member: MemberWriter, _ now: Moment) throws(SystemError) {
    let byteCount = try member.complete(path: series.path)
    var isFirst = false
    repeat {
      try makeWritable(now)
      guard let file = series.current?.file else { continue }
      isFirst = series.hasEmptyMember
      series.noteWrite(through: member.endSequence, byteCount: byteCount)
      try member.write(to: file)
      FaultPoint.writeDone.pass()
    } while series.dropDeleted()
    // Noted at once, as the output may begin another file before the thread notes it.
    series.journal?.settle(through: member.endSequence, at: series.place)
    let beginning = isFirst ? member.joinedBeginning : nil
    member.clear()
    sync.noteWrite()
    if let beginning, sync.prepareChangeOfBeginning(&series, at: now) { series.joinFirstMember(beginning) }
    sync.runIfDue(&series, at: now)
  }

  /// Puts the file away and closes it, unless it has no entries and would be followed by one of the same name.
  private func rotate(_ now: Moment) throws(SystemError) {
    switch try series.putAway(at: now, as: finished.initialState) {
    case .kept: return
    case .finished(let file):
      finished.add(file, at: now)
    case .gone: break
    }
    sync.noteSync()
    upkeep.request()
    try series.close()
    FaultPoint.rotationClosed.pass()
  }

  /// Closes the file because another process may have moved it.
  ///
  /// If the entries in memory can't be written to it, they go to the next file.
  private func letGo(_ now: Moment) throws(SystemError) {
    do {
      try flush(at: now)
      try series.current?.file.mend()
    } catch {
      warn("\(error); the file is left as it is")
    }
    if series.current != nil, try series.currentPath(now) != series.path { return try rotate(now) }
    sync.run(&series, at: now)
    defer { followLink() }
    try series.close()
  }

  private func followLink() {
    guard series.followLink() else { return }
    upkeep.request()
    finished.noteLeftovers()
    retention.forgetTrouble()
  }

  /// Deletes files beyond the limits, finishes leftovers of former runs, and renews the link, when that is
  /// due.
  private func keepUp(_ now: Moment) {
    guard upkeep.isDue(at: now) else { return }
    finished.finishLeftovers(&series.catalog, besides: series.present, at: now)
    retention.prune(&series.catalog, besides: series.present, at: now) { finished.isAwaited($0) }
    if series.current != nil { link?.renew(to: series.path) }
    upkeep.end(
      at: now,
      isRepeated: options.keepSeconds != nil || finished.hasLeftovers || retention.isInTrouble
        || link?.isInTrouble == true)
  }
}
