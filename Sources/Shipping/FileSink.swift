import Glibc

/// A file that grows, is finished and put away by size, by time or on request, plain or compressed.
///
/// Whatever fails, and whenever the process dies, a file ends in a whole record or in a complete
/// gzip member, but for a write that the kill itself has cut; that is repaired before the next one
/// appends.
public final class FileSink: Sink {
  /// How long a record may wait in memory for its gzip member to fill.
  ///
  /// A second is promised; the difference is for the thread to wake and write.
  static let memberNanoseconds: Int64 = 900_000_000
  /// How much goes into one gzip member.
  static let memberBytes = 1 << 20

  let options: FileOptions
  let naming: FileNaming
  let system: SystemCalls
  let warn: @Sendable (String) -> Void
  private let schedule: RotationSchedule?

  var file: RecordFile
  private var member: GzipMember?
  private var memberDeadline: Int64 = 0
  private var period: Int64?
  /// The size at which the file is put away.
  private var rotationBytes: Int
  /// The size of the file as long as it has no records.
  private var emptyBytes = 0
  /// Whether the header of the file wasn't known when it was begun.
  private var isHeaderDue = false
  var hasWarnedOfPruning = false

  /// The path of the file that is being written.
  public var name: String { file.path }

  /// What waits in the open gzip member.
  public var unfinished: Tally { member?.contents ?? .zero }

  /// Opens what a path leads to: a file of its own, or a stream when it is a pipe or a device.
  /// - Parameters:
  ///   - warn: Told, in one line, what is odd but does not stop the output; called on any thread.
  /// - Throws: `SinkError` when it cannot be opened for writing.
  public static func open(
    _ options: FileOptions, at now: Moment = .now(),
    warn: @escaping @Sendable (String) -> Void
  ) throws(SinkError) -> any Sink {
    let system = SystemCalls.real
    guard let status = system.status(ofPath: options.path), !status.isRegular else {
      return try FileSink(options, at: now, system: system, warn: warn)
    }
    return try openStream(options, status, system, warn)
  }

  init(
    _ options: FileOptions, at now: Moment, system: SystemCalls,
    schedule: RotationSchedule? = nil, warn: @escaping @Sendable (String) -> Void
  ) throws(SinkError) {
    self.options = options
    self.system = system
    self.warn = warn
    self.schedule =
      schedule ?? options.rotateEverySeconds.map { RotationSchedule(periodSeconds: $0) }
    naming = FileNaming(
      template: options.path, expandsTime: options.expandsTime,
      isCompressed: options.gzipLevel != nil)
    rotationBytes = options.rotateBytes ?? .max
    let path = try Self.path(naming, now)
    if options.keep != nil, !naming.isRecognisable {
      throw SinkError(
        target: options.path, operation: "keep",
        refusal: "finished files cannot be told from others by this name")
    }
    if let level = options.gzipLevel {
      do {
        member = try GzipMember(level: level)
      } catch {
        throw SinkError(target: path, operation: "gzip", errno: error)
      }
    }
    if options.appends {
      try Self.repair(path, options.binary, naming, now, system, warn)
    }
    file = try RecordFile(path: path, truncates: !options.appends, system: system)
    // A file that a former run has begun belongs to the period of its last line.
    let begun = file.byteCount > 0 ? try? system.status(file.descriptor).st_mtim.tv_sec : nil
    period = self.schedule?.period(at: begun.map(Int64.init) ?? now.wallSeconds)
    try beginFile()
  }

  /// Appends whole records, to the file or to the gzip member that will go there.
  public func write(_ batch: RecordBatch, at now: Moment) throws(SinkError) -> SinkProgress {
    if isHeaderDue { try beginFile() }
    try finishWhatIsDue(now)
    if let contents = member?.contents {
      let part = batch.prefix(batch.recordCount(reaching: Self.memberBytes - contents.bytes))
      if contents == .zero { memberDeadline = now.steadyNanoseconds + Self.memberNanoseconds }
      member?.add(part)
      return SinkProgress(byteCount: part.byteCount)
    }
    let part = batch.prefix(batch.recordCount(reaching: rotationBytes - file.byteCount))
    return SinkProgress(byteCount: try file.append(part))
  }

  /// Completes the gzip member, however little is in it.
  public func flush(at now: Moment) throws(SinkError) {
    guard let isEmpty = member?.isEmpty, !isEmpty else { return }
    try member?.finish { (bytes) throws(SinkError) in try file.append(bytes) }
  }

  /// Completes the gzip member, puts the file away, when either is due.
  public func tick(at now: Moment) throws(SinkError) -> Int64? {
    try finishWhatIsDue(now)
    var wait: Int64?
    if member?.isEmpty == false { wait = max(0, memberDeadline - now.steadyNanoseconds) }
    if let schedule {
      let seconds = schedule.nextLook(after: now.wallSeconds) - now.wallSeconds
      wait = min(wait ?? .max, seconds * 1_000_000_000)
    }
    return wait
  }

  /// Closes the file and opens what bears its name now, to append to it.
  public func reopen(at now: Moment) throws(SinkError) {
    try flush(at: now)
    try openNext(now)
  }

  /// Completes and closes the file; it keeps its name.
  public func close(at now: Moment) throws(SinkError) -> SinkProgress.Obstacle? {
    if isHeaderDue { try beginFile() }
    try flush(at: now)
    try file.close()
    return nil
  }

  // MARK: - Rotation

  private func finishWhatIsDue(_ now: Moment) throws(SinkError) {
    let isNextPeriod = schedule.map { $0.period(at: now.wallSeconds) != period } ?? false
    if let member = member?.contents, member.records > 0,
      isNextPeriod || member.bytes >= Self.memberBytes || now.steadyNanoseconds >= memberDeadline
    {
      try flush(at: now)
    }
    if isNextPeriod {
      period = schedule?.period(at: now.wallSeconds)
      try rotate(now)
    } else if file.byteCount >= rotationBytes {
      try rotate(now)
    }
  }

  /// Finishes the current file and begins the next one.
  private func rotate(_ now: Moment) throws(SinkError) {
    let next = try Self.path(naming, now)
    if next == file.path {
      // A file without records is as good as a new one.
      if file.byteCount <= emptyBytes { return }
      try file.synchronize()
      guard putAway(now) else { return }
    } else {
      try file.synchronize()
    }
    try openNext(now)
    prune()
  }

  /// Renames the current file to its finished name; false when that is impossible.
  ///
  /// That is no reason to stop: it goes on growing, and the next attempt is made one size later.
  private func putAway(_ now: Moment) -> Bool {
    do {
      try Self.putAway(file.path, naming, now, system)
      return true
    } catch {
      if let size = options.rotateBytes { rotationBytes = file.byteCount + size }
      warn("\(error); the file goes on growing")
      return false
    }
  }

  private func openNext(_ now: Moment) throws(SinkError) {
    let former = file.path
    let (identity, byteCount) = (file.identity, file.byteCount)
    try file.close()
    let path = try Self.path(naming, now)
    // Our own file as we left it needs no repair, and reading a long one through takes its time.
    let status = system.status(ofPath: path)
    if let status, FileIdentity(status) != identity || Int(status.st_size) != byteCount {
      try Self.repair(path, options.binary, naming, now, system, warn)
    }
    file = try RecordFile(path: path, truncates: false, system: system)
    rotationBytes = options.rotateBytes ?? .max
    if former != path { addSuffix(former, now) }
    try beginFile()
  }

  /// Writes the header of a new file, and makes a compressed one valid even without: a file of no bytes
  /// is not, a member of none is.
  private func beginFile() throws(SinkError) {
    emptyBytes = 0
    isHeaderDue = options.binary.map { $0.current == nil } ?? false
    guard !isHeaderDue else { return }
    guard file.byteCount == 0 else { return try checkMarker() }
    let bytes = options.binary?.header ?? options.header
    if member != nil {
      bytes.withUnsafeBytes { member?.add(header: $0) }
      try member?.finish { (bytes) throws(SinkError) in try file.append(bytes) }
    } else if !bytes.isEmpty {
      let header = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
      defer { header.deallocate() }
      header.copyBytes(from: bytes)
      try file.append(UnsafeRawBufferPointer(header))
    }
    emptyBytes = file.byteCount
  }

  /// Makes sure that records are not added to those of another layout.
  private func checkMarker() throws(SinkError) {
    guard let binary = options.binary, let current = binary.current else { return }
    if let found = binary.kind(file.path), found.goes(with: current) { return }
    throw SinkError(
      target: file.path, operation: "append", refusal: "it holds something other than records of this log")
  }

  /// Gives a finished compressed file whose name does not say so the name that does.
  private func addSuffix(_ former: String, _ now: Moment) {
    guard let finished = naming.withSuffix(former) else { return }
    do {
      try system.rename(former, toNew: finished)
    } catch .exists {
      do { try Self.putAway(former, naming, now, system) } catch { warn("\(error)") }
    } catch .noEntry {
      // Somebody else has put it away.
    } catch {
      warn("\(SinkError(target: former, operation: "rename", errno: error))")
    }
  }
}

// MARK: - Helpers that need no sink

extension FileSink {
  private static func path(_ naming: FileNaming, _ now: Moment) throws(SinkError) -> String {
    guard let path = naming.current(at: now.wallSeconds) else {
      throw SinkError(target: naming.template, operation: "expand", errno: .nameTooLong)
    }
    return path
  }

  /// Renames a file to a finished name that nothing has yet.
  private static func putAway(
    _ path: String, _ naming: FileNaming, _ now: Moment, _ system: SystemCalls
  ) throws(SinkError) {
    for attempt in 1... {
      let finished = naming.finished(path, at: now.wallSeconds, attempt: attempt)
      do {
        return try system.rename(path, toNew: finished)
      } catch .exists {
        continue
      } catch .noEntry {
        // Somebody else has put it away.
        return
      } catch {
        throw SinkError(target: path, operation: "rename", errno: error)
      }
    }
  }

  /// Cuts what a kill has torn, and puts a file aside that is damaged otherwise.
  private static func repair(
    _ path: String, _ binary: BinaryContent?, _ naming: FileNaming, _ now: Moment,
    _ system: SystemCalls, _ warn: @Sendable (String) -> Void
  ) throws(SinkError) {
    let repair = FileRepair(
      path: path, isCompressed: naming.isCompressed, binary: binary, system: system)
    switch try repair.run() {
    case .whole:
      break
    case .cut(let bytes, let left):
      let what = naming.isCompressed ? "gzip member" : binary == nil ? "line" : "record"
      warn("\(path): cut \(bytes) bytes of a torn \(what), \(left) bytes are left")
    case .damaged(let offset):
      let what =
        naming.isCompressed
        ? "no valid gzip member at byte \(offset)" : binary == nil ? "not a file of lines" : "not a VSL file"
      warn("\(path): \(what): put aside as it is")
      try putAway(path, naming, now, system)
    }
  }

  private static func openStream(
    _ options: FileOptions, _ status: stat, _ system: SystemCalls,
    _ warn: @escaping @Sendable (String) -> Void
  ) throws(SinkError) -> any Sink {
    let path = options.path
    if status.isPipe {
      // Opened when somebody reads it, whoever that is and whenever.
      var links = LinkOptions()
      links.onRestart = options.onRestart
      links.header = options.header
      links.binary = options.binary
      return try LinkSink.fifo(path, links, system: system, warn: warn)
    }
    let descriptor: Int32
    do {
      descriptor = try system.open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY)
    } catch {
      throw SinkError(target: path, operation: "open", errno: error)
    }
    return try StreamSink(
      descriptor: descriptor, name: path, header: options.header, binary: options.binary,
      ownsDescriptor: true, system: system)
  }
}
