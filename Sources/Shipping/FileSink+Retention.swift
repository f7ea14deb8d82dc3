import Glibc
import Platform

/// What becomes of files that are finished.
extension FileSink {
  /// Deletes what is too old or too much, finishes what was left over, and renews the link, when it is due.
  func keepUp(_ now: Moment) {
    guard upkeep.isDue(at: now) else { return }
    if upkeep.hasLeftovers { finishLeftovers(now) }
    if options.prunes { prune(now) }
    if options.link != nil { renewLink() }
    upkeep.end(at: now, isPeriodic: options.keepSeconds != nil)
  }

  private struct FinishedFile {
    let path: String
    let age: FileNaming.Age
    var byteCount = 0
    var lastChange: Int64 = 0
  }

  /// Deletes the oldest finished files: those beyond the number or the bytes that are kept, and those whose
  /// last line is too old.
  private func prune(_ now: Moment) {
    var failure: SinkError?
    do {
      for path in try superfluousFiles(now) {
        do {
          try system.unlink(path)
          FaultPoint.rotationPruned.pass()
        } catch .noEntry {
          // Somebody else was faster.
        } catch {
          // One that can't be deleted is no reason to keep the others.
          failure = failure ?? SinkError(target: path, operation: "unlink", errno: error)
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

  private func superfluousFiles(_ now: Moment) throws(SinkError) -> [String] {
    let files = try finishedFiles().sorted { $0.age < $1.age }
    var count = files.count
    var bytes = files.reduce(0) { $0 + $1.byteCount }
    return files.filter { file in
      let isTooMuch = count > options.keep ?? .max || bytes > options.keepBytes ?? .max
      let isTooOld = options.keepSeconds.map { file.lastChange < now.wallSeconds - Int64($0) } ?? false
      guard isTooMuch || isTooOld else { return false }
      count -= 1
      bytes -= file.byteCount
      return true
    }.map(\.path)
  }

  private func finishedFiles() throws(SinkError) -> [FinishedFile] {
    var files: [FinishedFile] = []
    for entry in try namesBeside(name) {
      guard let age = naming.age(ofFileName: entry) else { continue }
      var file = FinishedFile(path: path(of: entry), age: age)
      do {
        let status = try system.linkStatus(ofPath: file.path)
        guard status.isRegular else { continue }
        file.byteCount = Int(status.st_size)
        file.lastChange = Int64(status.st_mtim.tv_sec)
      } catch .noEntry {
        continue
      } catch {
        throw SinkError(target: file.path, operation: "stat", errno: error)
      }
      files.append(file)
    }
    return files
  }

  /// Finishes files of former periods that a kill has left torn or without their suffix.
  ///
  /// One that would have needed a new name can be told by the lack of it, and of the others only the last that
  /// has anything in it can be torn.
  private func finishLeftovers(_ now: Moment) {
    upkeep.hasLeftovers = false
    guard naming.expandsTime else { return }
    do {
      let made = try namesBeside(name).compactMap { entry in
        naming.time(ofFileName: entry).map { (path: path(of: entry), time: $0) }
      }
      let lackSuffix = naming.withSuffix(naming.template) != nil
      for (path, _) in made.sorted(by: { $1.time.lexicographicallyPrecedes($0.time) }) {
        let wasEmpty = try finishLeftover(path, now)
        if !wasEmpty, !lackSuffix { break }
      }
      upkeep.leftovers.end()
    } catch {
      upkeep.hasLeftovers = true
      upkeep.leftovers.say(error, "it is tried again later", warn)
    }
  }

  /// - Returns: Whether there was nothing in it.
  private func finishLeftover(_ path: String, _ now: Moment) throws(SinkError) -> Bool {
    guard system.status(ofPath: path)?.isRegular == true else { return true }
    // One that isn't what we write is none of ours, whatever it is called.
    if case .damaged = try runRepair(path) { return false }
    let isEmpty = system.status(ofPath: path)?.st_size == 0
    guard naming.isCompressed else { return isEmpty }
    if isEmpty {
      // It was opened, no more; as it is, it is not even a valid file.
      do { try system.unlink(path) } catch {
        throw SinkError(target: path, operation: "unlink", errno: error)
      }
    } else if let finished = addSuffix(to: path, now) {
      finish(finished)
    }
    return isEmpty
  }

  /// The names of all other files in a file's directory.
  private func namesBeside(_ path: String) throws(SinkError) -> [String] {
    let directory = FileNaming.directory(of: path)
    do {
      let own = FileNaming.fileName(of: path)
      return try system.names(inDirectory: directory).filter { $0 != own }
    } catch {
      throw SinkError(target: directory, operation: "list", errno: error)
    }
  }

  private func path(of entry: String) -> String {
    let directory = FileNaming.directory(of: name)
    return directory == "/" ? "/" + entry : directory + "/" + entry
  }
}
