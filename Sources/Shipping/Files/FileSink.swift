import Glibc
public import Platform
public import Spool

/// A file that grows, is finished and put away by size, by time or on request, plain or compressed.
///
/// Whatever fails, and whenever the process dies, a file ends in a whole entry or in a complete
/// gzip member, but for a write that the kill itself has cut; that is repaired before the next one
/// appends.
///
/// Any call may fail, and is then made again until it works. So what has been achieved is kept at every step:
/// there may be no file open, or one whose header isn't written yet, and a complete member waits in memory for
/// as long as it can't be written.
public final class FileSink: Sink {
  /// How long an entry may wait in memory for its gzip member to fill.
  ///
  /// A second is promised; the difference is for the thread to wake and write.
  static let memberNanoseconds: Int64 = 900_000_000
  /// How much goes into one gzip member.
  static let memberBytes = 1 << 20

  let options: FileOptions
  let system: SystemCalls
  let warn: @Sendable (String) -> Void
  let schedule: RotationSchedule?

  /// The path of the file that is being written, or of the one before as long as the next can't be opened.
  public internal(set) var name: String
  /// The file that is being written; nil when it was closed and the next couldn't be opened yet.
  var file: EntryFile?
  /// Whether the file has what every file begins with.
  var isBegun = false
  /// The size of the file as long as it has no entries.
  var emptyBytes = 0
  /// The period that the file belongs to.
  var period: Int64?
  /// The size at which the file is put away.
  var rotationBytes: Int
  /// When it is tried again to put away a file whose period is over, on the steady clock.
  var rotationRetry: Int64 = 0
  /// Whether the file is to be let go and opened again.
  var isReopenDue = false
  /// How we left the file that was closed last; if it is still so, it needs no repair.
  var closed: (identity: FileIdentity, byteCount: Int)?

  private var member: GzipMember?
  private var memberDeadline: Int64 = 0
  /// Where what is in the member begins.
  private var memberStart: SpoolPlace?
  /// What is in the member, if it may be asked for; nil otherwise.
  private let unsettled: UnsettledEntries?

  /// The files that there were, and how they are called.
  var series: FileSeries
  /// The number of the file that is being written, among those of its series.
  var sequence: Int64 = 0
  /// Who may read and write the file that was closed last; the next one gets the same.
  var inherited: FileAttributes?
  let retention: Retention
  /// Whether it makes several files, which say in which order.
  let isSeries: Bool
  var clock: UnhurriedClock
  var command: BackgroundCommand?
  var upkeep = Upkeep()

  var naming: FileNaming { series.naming }

  /// In front of what waits in the open gzip member.
  public var settled: SpoolPlace? { memberStart }

  /// How much waits there.
  var memberContents: Tally { member?.contents ?? .zero }

  /// What waits there as it was; nil unless the options say that it may be asked for.
  public var unsettledEntries: EntryList? { unsettled?.all }

  /// Wakes the thread when a command that was run for a finished file has ended.
  public var wakeDescriptor: Int32? { command?.wakeDescriptor }

  init(
    _ options: FileOptions, at now: Moment, system: SystemCalls,
    schedule: RotationSchedule? = nil, warn: @escaping @Sendable (String) -> Void
  ) throws(SinkError) {
    self.options = options
    self.system = system
    self.warn = warn
    self.schedule =
      schedule ?? options.rotateEverySeconds.map { RotationSchedule(periodSeconds: $0) }
    rotationBytes = options.rotateBytes ?? .max
    unsettled = options.keepsUnsettled && options.gzipLevel != nil ? UnsettledEntries() : nil
    retention = options.retention
    isSeries = options.rotates || options.retention.isLimited
    upkeep.hasLeftovers = isSeries
    clock = UnhurriedClock(now)
    let path = try Self.place(options, system)
    series = FileSeries(Self.naming(path, options), system)
    name = path
    command = options.postRotate.map {
      BackgroundCommand($0, timeoutSeconds: options.postRotateTimeoutSeconds, system: system, warn: warn)
    }
    member = try makeMember()
    try checkOptions()
    try openFile(at: now, truncates: !options.appends, isFirst: true)
    try beginFile()
  }

  /// Appends whole entries, to the file or to the gzip member that will go there.
  public func write(_ batch: EntryBatch, at now: Moment) throws(SinkError) -> SinkProgress {
    try finishWhatIsDue(now)
    if let contents = member?.contents {
      let part = batch.prefix(batch.entryCount(reaching: Self.memberBytes - contents.bytes))
      if contents == .zero {
        memberDeadline = now.steadyNanoseconds + Self.memberNanoseconds
        memberStart = part.start
      }
      member?.add(part)
      unsettled?.append(part)
      return SinkProgress(byteCount: part.byteCount)
    }
    while true {
      try makeReady(now)
      try renewHeader(now)
      let part = batch.prefix(batch.entryCount(reaching: rotationBytes - byteCount))
      let count = try file?.append(part)
      if let count, !hasLostFile() { return SinkProgress(byteCount: count) }
    }
  }

  /// Completes the gzip member, however little is in it.
  public func flush(at now: Moment) throws(SinkError) {
    guard let isEmpty = member?.isEmpty, !isEmpty else { return }
    try writeMember(now)
  }

  /// Completes the gzip member, puts the file away, deletes old ones, when it is due.
  public func tick(at now: Moment) throws(SinkError) -> Int64? {
    tickCommand(now)
    // What a former run has left comes first, also to the command.
    if upkeep.isDue(at: now), upkeep.hasLeftovers { finishLeftovers(now) }
    do {
      // What follows may make room for what fails here.
      defer { keepUp(now) }
      try finishWhatIsDue(now)
    }
    var waits = [command?.wait(at: now), upkeep.wait(at: now)].compactMap(\.self)
    if member?.isEmpty == false { waits.append(memberDeadline - now.steadyNanoseconds) }
    if let schedule {
      let seconds = schedule.nextLook(after: now.wallSeconds) - now.wallSeconds
      waits.append(max(seconds * 1_000_000_000, 0))
      if isPeriodOver(now) { waits.append(rotationRetry - now.steadyNanoseconds) }
    }
    return waits.min().map { max(0, $0) }
  }

  /// Closes the file and opens what bears its name now, to append to it.
  public func reopen(at now: Moment) throws(SinkError) {
    isReopenDue = true
    try finishWhatIsDue(now)
  }

  /// Completes and closes the file; it keeps its name.
  public func close(at now: Moment) throws(SinkError) -> SinkProgress.Obstacle? {
    if file != nil, !isBegun { try beginFile() }
    try flush(at: now)
    try file?.mend()
    try closeFile()
    return nil
  }

  /// Closes the file; a command that runs for a finished one goes on.
  public func abandon() {
    try? closeFile()
    abandonCommand()
  }
}

// MARK: - Writing

extension FileSink {
  /// The size of the file.
  var byteCount: Int { file?.byteCount ?? 0 }

  /// Whether the file belongs to a period before the present one.
  func isPeriodOver(_ now: Moment) -> Bool {
    schedule.map { $0.period(at: now.wallSeconds) != period } ?? false
  }

  private func finishWhatIsDue(_ now: Moment) throws(SinkError) {
    if isReopenDue { try letGo(now) }
    try makeReady(now)
    let isPeriodOver = isPeriodOver(now)
    if isMemberDue(now) || (isPeriodOver && member?.isEmpty == false) { try writeMember(now) }
    if byteCount >= rotationBytes || (isPeriodOver && now.steadyNanoseconds >= rotationRetry) {
      try rotate(now)
      try makeReady(now)
    }
  }

  private func isMemberDue(_ now: Moment) -> Bool {
    guard let contents = member?.contents, contents.entries > 0 else { return false }
    return member?.isSealed == true || contents.bytes >= Self.memberBytes
      || now.steadyNanoseconds >= memberDeadline
  }

  private func writeMember(_ now: Moment) throws(SinkError) {
    member?.seal()
    repeat {
      try makeReady(now)
      try renewHeader(now)
      try member?.withBytes { (bytes) throws(SinkError) in try file?.append(bytes) }
    } while hasLostFile()
    member?.reset()
    memberStart = nil
    unsettled?.removeAll()
  }

  /// Whether the file was deleted by somebody; then it is let go, so that the next one is begun in its place.
  ///
  /// What was in it before this write is their loss.
  private func hasLostFile() -> Bool {
    guard file?.isDeleted() == true else { return false }
    warn("\(name): was deleted; what was in it is gone, and a new file is begun")
    try? closeFile()
    closed = nil
    return true
  }

  /// Sees to it that there is a file that can be written to.
  func makeReady(_ now: Moment) throws(SinkError) {
    if file == nil { try openFile(at: now, truncates: false, isFirst: false) }
    if !isBegun { try beginFile() }
  }

  /// Writes the header of a new file, and makes a compressed one valid even without: a file of no bytes
  /// is not, a member of none is.
  ///
  /// Does nothing as long as it isn't known what a file of records begins with.
  private func beginFile() throws(SinkError) {
    emptyBytes = 0
    if let binary = options.binary, binary.current == nil { return }
    if byteCount > 0 {
      try checkMarker()
    } else {
      try writeHeader(options.binary?.header ?? options.header)
      emptyBytes = byteCount
      FaultPoint.rotationBegun.pass()
    }
    isBegun = true
  }

  /// Gives a file that somebody has emptied what every file begins with.
  private func renewHeader(_ now: Moment) throws(SinkError) {
    guard isBegun, emptyBytes > 0 || options.binary != nil, file?.wasEmptied() == true else { return }
    isBegun = false
    try makeReady(now)
  }

  private func writeHeader(_ bytes: [UInt8]) throws(SinkError) {
    if var member = try makeMember() {
      bytes.withUnsafeBytes { member.add(header: $0) }
      member.seal()
      try member.withBytes { (bytes) throws(SinkError) in try file?.append(bytes) }
    } else if !bytes.isEmpty {
      let header = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
      defer { header.deallocate() }
      header.copyBytes(from: bytes)
      try file?.append(UnsafeRawBufferPointer(header))
    }
  }

  /// An empty member; nil if the file isn't compressed.
  private func makeMember() throws(SinkError) -> GzipMember? {
    guard let level = options.gzipLevel else { return nil }
    do {
      return try GzipMember(level: level)
    } catch {
      throw SinkError(target: name, operation: "gzip", errno: error)
    }
  }

  /// Makes sure that records are not added to those of another layout.
  private func checkMarker() throws(SinkError) {
    guard let binary = options.binary, let current = binary.current else { return }
    if let found = binary.format.kind(ofFile: name), found.goes(with: current) { return }
    throw SinkError(
      target: name, operation: "append", refusal: "it holds something other than records of this log")
  }

  /// Lets go of the file because somebody else may have moved it.
  ///
  /// If that was because it can't be written, what is in memory goes to the next one.
  private func letGo(_ now: Moment) throws(SinkError) {
    if file != nil {
      do {
        try flush(at: now)
        try file?.mend()
      } catch {
        warn("\(error); the file is left as it is")
      }
      if try currentPath(now) != name { return try rotate(now) }
    }
    isReopenDue = false
    try closeFile()
    followLink()
  }
}
