import Glibc
import Platform
import Spool

/// A file that was put away.
struct FinishedFile {
  /// The file's name while it was written.
  let path: String
  /// The file's name now.
  let name: FileCatalog.FinalName
  let identity: FileIdentity
  let mark: FileMark
}

/// The work on finished files: the command for each of them, and what a former run has left undone.
///
/// No failure here stops the output.
struct FinishedFiles {
  let command: BackgroundCommand?
  private let system: SystemCalls
  private let warn: @Sendable (String) -> Void
  /// The files whose command has not ended, their marks from then on, and when they were changed last.
  private var waiting: [FileIdentity: (mark: FileMark, lastChange: timespec)] = [:]
  /// Whether there may be files that ended with their period but were not finished.
  private(set) var hasLeftovers: Bool
  private let makesSeries: Bool
  private var trouble = Trouble<FailedOperation>()

  init(_ options: FileOptions, system: SystemCalls, warn: @escaping @Sendable (String) -> Void) {
    self.system = system
    self.warn = warn
    command = options.postRotate.map {
      BackgroundCommand($0, timeoutSeconds: options.postRotateTimeoutSeconds, system: system, warn: warn)
    }
    initialState = options.postRotate == nil ? .done : .waiting
    makesSeries = options.makesSeries
    hasLeftovers = makesSeries
  }

  /// The state in a file's mark as soon as the file is finished.
  let initialState: FileMark.State

  /// Wakes the thread when a command has ended.
  var wakeDescriptor: Int32? { command?.wakeDescriptor }

  /// In how many nanoseconds `tick` must be called even if the descriptor isn't readable; nil, if not by the
  /// clock.
  func wait(at now: Moment) -> Int64? { command?.wait(at: now) }

  /// Notes that files may have been left unfinished.
  mutating func noteLeftovers() { hasLeftovers = makesSeries }

  /// Whether a file waits for its command, or has it running.
  func isAwaited(_ member: FileCatalog.Member) -> Bool { command?.holds(member.identity) ?? false }

  // MARK: Commands

  /// Has the command run for a file that was put away just now.
  mutating func add(_ file: FinishedFile, at now: Moment) {
    let path: String
    switch file.name {
    case .given(let name): path = name
    case .unchanged: path = file.path
    case .notGiven:
      path = file.path
      noteLeftovers()
    }
    guard command != nil, let status = try? system.linkStatus(ofPath: path) else { return }
    enlist(path, file.identity, file.mark, status.st_mtim, now)
  }

  /// Runs the command for a finished file, unless that is arranged already.
  private mutating func enlist(
    _ path: String, _ identity: FileIdentity, _ mark: FileMark, _ lastChange: timespec, _ now: Moment
  ) {
    guard command != nil else { return }
    var mark = mark
    mark.state = .done
    waiting[identity] = (mark, lastChange)
    command?.run(for: BackgroundCommand.Job(path: path, identity: identity), at: now)
  }

  /// Takes note of commands that have ended, and marks their files.
  /// - Returns: whether any has ended: its file may be deleted now.
  mutating func tick(_ catalog: inout FileCatalog, at now: Moment) -> Bool {
    guard command != nil else { return false }
    command?.tick(at: now)
    return noteEndedCommands(&catalog)
  }

  /// Marks the files of ended commands as done.
  private mutating func noteEndedCommands(_ catalog: inout FileCatalog) -> Bool {
    let ended = command?.takeEnded() ?? []
    for (job, isInterrupted) in ended {
      // A file whose command was interrupted is left to the next start.
      if isInterrupted { waiting[job.identity] = nil } else { noteEnd(of: job, &catalog) }
    }
    return !ended.isEmpty
  }

  private mutating func noteEnd(of job: BackgroundCommand.Job, _ catalog: inout FileCatalog) {
    guard let (mark, lastChange) = waiting.removeValue(forKey: job.identity) else { return }
    if let status = try? system.linkStatus(ofPath: job.path) {
      guard FileIdentity(status) == job.identity else { return }
      catalog.marks.set(mark, path: job.path, job.identity)
    } else {
      // The command has moved the file, or replaced it by another.
      catalog.adoptSuccessor(of: job.path, mark, lastChange: lastChange)
    }
    FaultPoint.commandNoted.pass()
  }

  /// Lets a running command go on, and has its end noted.
  mutating func abandon(_ catalog: inout FileCatalog) {
    let last = command?.abandon()
    _ = noteEndedCommands(&catalog)
    guard let last, let (mark, _) = waiting[last.job.identity] else { return }
    system.leaveNote(ofEnd: last.process, last.job, mark)
  }

  // MARK: What a former run has left

  /// Finishes files of former periods that a kill has left torn or without their suffix, and runs the command
  /// for files for which it was not run, or not to its end.
  mutating func finishLeftovers(
    _ catalog: inout FileCatalog, besides current: FileCatalog.Current, at now: Moment
  ) {
    guard hasLeftovers else { return }
    hasLeftovers = false
    do {
      for member in try catalog.members(except: current.identity) {
        guard let mark = member.mark, !isAwaited(member) else { continue }
        try finish(member, mark, &catalog, besides: current, now)
      }
      trouble.end()
    } catch {
      hasLeftovers = true
      trouble.say(error, "it is tried again later", warn)
    }
  }

  private mutating func finish(
    _ member: FileCatalog.Member, _ mark: FileMark, _ catalog: inout FileCatalog,
    besides current: FileCatalog.Current, _ now: Moment
  ) throws(SystemError) {
    var mark = mark
    if mark.state == .open {
      guard let status = try catalog.lookUp(member), try !catalog.isInUse(member) else { return }
      switch try catalog.repair(member.path, status) {
      case .foreign: return
      case .whole, .cut: break
      }
      if catalog.naming.compression != nil, try catalog.lookUp(member)?.st_size == 0 {
        // The file was opened, no more; empty, it isn't even a valid compressed file.
        return try catalog.delete(member, besides: current)
      }
      mark.state = initialState
      catalog.marks.set(mark, path: member.path, member.identity)
    }
    var path = member.path
    if catalog.naming.lacksSuffix(FileNaming.fileName(of: path)) {
      switch catalog.addSuffix(to: path, member.identity, now) {
      case .given(let name): path = name
      case .unchanged: break
      case .notGiven: hasLeftovers = true
      }
    }
    if mark.state == .waiting { enlist(path, member.identity, mark, member.lastChange, now) }
  }
}
