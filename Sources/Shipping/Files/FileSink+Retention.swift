import Glibc
import Platform
import Spool

/// What becomes of files that are finished.
extension FileSink {
  /// Deletes what is too old or too much, finishes what was left over, and renews the link, when it is due.
  func keepUp(_ now: Moment) {
    guard upkeep.isDue(at: now) else { return }
    if isSeries {
      if upkeep.hasLeftovers { finishLeftovers(now) }
      if retention.isLimited { prune(now) }
    }
    if options.link != nil { renewLink() }
    upkeep.end(at: now, isPeriodic: options.keepSeconds != nil)
  }

  /// Deletes the oldest finished files: too many, too much, or too old.
  ///
  /// What waits for its command counts, but is deleted only after that.
  private func prune(_ now: Moment) {
    var failure: SinkError?
    do {
      let files = try series.members(except: file?.identity).filter { $0.mark?.state != .open }
      for member in retention.superfluous(files, at: clock.read(now)) where !isAwaited(member) {
        do {
          try delete(member)
        } catch {
          // One that can't be deleted is no reason to keep the others.
          failure = failure ?? error
        }
      }
    } catch {
      failure = error
    }
    if let failure {
      upkeep.pruning.say(failure, "finished files are piling up", warn)
    } else {
      upkeep.pruning.end()
    }
  }

  private func isAwaited(_ member: FileSeries.Member) -> Bool {
    command?.holds(member.identity) ?? false
  }

  private func delete(_ member: FileSeries.Member) throws(SinkError) {
    do {
      // Looked at again: what has got its name since is another's.
      guard let status = try system.linkStatusIfAny(ofPath: member.path),
        FileIdentity(status) == member.identity
      else { return }
      try system.unlink(member.path)
      FaultPoint.rotationPruned.pass()
    } catch .noEntry {
      // Somebody else was faster.
    } catch {
      throw SinkError(target: member.path, operation: "unlink", errno: error)
    }
    series.marks.forget(member.identity)
    if FileNaming.directory(of: member.path) != FileNaming.directory(of: name) {
      series.removeEmptyDirectories(of: member.path)
    }
  }

  // MARK: Commands

  /// Sees what has become of the command, and notes for which files it has ended.
  func tickCommand(_ now: Moment) {
    guard command != nil else { return }
    command?.tick(at: now)
    noteEndedCommands()
  }

  /// Has files say that nothing is to be done for them any more.
  func noteEndedCommands() {
    for (job, isInterrupted) in command?.takeEnded() ?? [] {
      // What was interrupted is left to the next start.
      if isInterrupted { upkeep.waiting[job.identity] = nil } else { noteEnd(of: job) }
      // It may be deleted now.
      upkeep.isDue = true
    }
  }

  /// Lets a command that runs go on, and has its end noted.
  func abandonCommand() {
    let last = command?.abandon()
    noteEndedCommands()
    guard let last, let (mark, _) = upkeep.waiting[last.job.identity] else { return }
    system.leaveNote(ofEnd: last.process, last.job, mark)
  }

  private func noteEnd(of job: BackgroundCommand.Job) {
    guard let (mark, lastChange) = upkeep.waiting.removeValue(forKey: job.identity) else { return }
    if let status = try? system.linkStatus(ofPath: job.path) {
      guard FileIdentity(status) == job.identity else { return }
      series.marks.set(mark, path: job.path, job.identity)
    } else {
      // The command has put it elsewhere, or made another of it.
      series.adoptSuccessor(of: job.path, mark, lastChange: lastChange)
    }
    FaultPoint.commandNoted.pass()
  }

  /// Has the command run for a finished file, unless that has been arranged.
  func enlist(
    _ path: String, _ identity: FileIdentity, _ mark: FileMark, _ lastChange: timespec, _ now: Moment
  ) {
    guard command != nil else { return }
    var mark = mark
    mark.state = .done
    upkeep.waiting[identity] = (mark, lastChange)
    command?.run(for: BackgroundCommand.Job(path: path, identity: identity), at: now)
  }

  // MARK: What a former run has left

  /// Finishes files of former periods that a kill has left torn or without their suffix, and has the command run
  /// for those that it was not run for, or not to its end.
  func finishLeftovers(_ now: Moment) {
    upkeep.hasLeftovers = false
    do {
      for member in try series.members(except: file?.identity) {
        guard let mark = member.mark, !isAwaited(member) else { continue }
        try finishLeftover(member, mark, now)
      }
      upkeep.leftovers.end()
    } catch {
      upkeep.hasLeftovers = true
      upkeep.leftovers.say(error, "it is tried again later", warn)
    }
  }

  private func finishLeftover(_ member: FileSeries.Member, _ mark: FileMark, _ now: Moment) throws(SinkError)
  {
    var mark = mark
    if mark.state == .open {
      guard let status = try lookUp(member), try !isInUse(member) else { return }
      switch try runRepair(member.path, status) {
      case .foreign: return
      case .whole, .cut: break
      }
      if naming.isCompressed, try lookUp(member)?.st_size == 0 {
        // It was opened, no more; as it is, it is not even a valid file.
        return try delete(member)
      }
      mark.state = command == nil ? .done : .waiting
      series.marks.set(mark, path: member.path, member.identity)
    }
    var path = member.path
    if naming.lacksSuffix(FileNaming.fileName(of: path)) {
      path = addSuffix(to: path, member.identity, now) ?? path
    }
    if mark.state == .waiting { enlist(path, member.identity, mark, member.lastChange, now) }
  }

  private func lookUp(_ member: FileSeries.Member) throws(SinkError) -> stat? {
    do {
      let status = try system.linkStatusIfAny(ofPath: member.path)
      return status.flatMap { FileIdentity($0) == member.identity ? $0 : nil }
    } catch {
      throw SinkError(target: member.path, operation: "stat", errno: error)
    }
  }

  /// Whether another process is writing a file.
  private func isInUse(_ member: FileSeries.Member) throws(SinkError) -> Bool {
    do {
      let descriptor = try system.open(member.path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY)
      defer { try? system.close(descriptor) }
      try system.lock(descriptor)
      return false
    } catch .wouldBlock {
      return true
    } catch {
      throw SinkError(target: member.path, operation: "lock", errno: error)
    }
  }
}
