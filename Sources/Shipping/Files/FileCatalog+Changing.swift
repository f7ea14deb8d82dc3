import Compression
import Glibc
import Platform
import Spool

/// Changes to files that aren't written any more.
extension FileCatalog {
  /// The outcome of giving a finished file its final name.
  enum FinalName {
    /// The file has this name now.
    case given(String)
    /// The file had its final name before.
    case unchanged
    /// The file can't get its final name at present.
    case notGiven
  }

  /// Gives a finished file a name that is free; nil if that is impossible, which is reported.
  mutating func giveFinishedName(to path: String, _ identity: FileIdentity, _ now: Moment) -> String? {
    do throws(SystemError) {
      let finished = try rename(path, identity) { attempt in
        naming.finished(path, at: now.wallSeconds, attempt: attempt)
      }
      guard let finished else { throw SystemError(operation: "rename", path: path, errno: .noEntry) }
      FaultPoint.rotationRenamed.pass()
      renaming.end()
      return finished
    } catch {
      renaming.say(error, "the file goes on growing", warn)
      return nil
    }
  }

  /// Gives a finished compressed file the suffix that tells its format, if its name lacks that.
  mutating func addSuffix(to path: String, _ identity: FileIdentity, _ now: Moment) -> FinalName {
    guard let finished = naming.withSuffix(path) else { return .unchanged }
    do {
      // Where that name is taken, the file gets one with the time of its closing.
      let name = try rename(path, identity) { attempt in
        attempt == 1 ? finished : naming.finished(path, at: now.wallSeconds, attempt: attempt - 1)
      }
      FaultPoint.rotationRenamed.pass()
      renaming.end()
      return name.map { .given($0) } ?? .unchanged
    } catch {
      renaming.say(error, "it is tried again later", warn)
      return .notGiven
    }
  }

  /// Renames a file to the first name that is free, if the path still leads to the file that was looked at.
  /// - Returns: the new name; nil if the path leads to another file by now, or to none.
  func rename(
    _ path: String, _ identity: FileIdentity, to name: (_ attempt: Int) -> String
  ) throws(SystemError) -> String? {
    var attempt = 1
    while true {
      let new = name(attempt)
      do {
        guard let status = try system.linkStatusIfAny(ofPath: path), FileIdentity(status) == identity else {
          return nil
        }
        try system.rename(path, toNew: new)
        if let renamed = try? system.linkStatus(ofPath: new), FileIdentity(renamed) != identity {
          // Another process has put another file there between looking and renaming.
          try? system.rename(new, toNew: path)
          return nil
        }
        return new
      } catch .exists {
        attempt += 1
      } catch .noEntry {
        return nil
      } catch {
        throw SystemError(operation: "rename", path: path, errno: error)
      }
    }
  }

  /// Cuts off what a kill has torn, and reports that.
  mutating func repair(_ path: String, _ found: stat) throws(SystemError) -> FileRepair.Outcome {
    let repair = FileRepair(
      path: path, identity: FileIdentity(found), compression: naming.compression, content: content,
      isMarked: isOwn(path, found), system: system)
    let outcome = try repair.run()
    if case .cut(let bytes, let left) = outcome {
      let what = naming.compression?.partName ?? (content.binary == nil ? "line" : "record")
      warn("\(path): cut \(bytes) bytes of a torn \(what), \(left) bytes are left")
    }
    return outcome
  }

  /// Deletes a file and the directories made for it that are empty then.
  /// - Parameter current: the file whose directory stays, though it may be empty for a moment.
  mutating func delete(_ member: Member, besides current: Current) throws(SystemError) {
    do {
      // Looked at again, as another process's file may have got its name since.
      guard let status = try system.linkStatusIfAny(ofPath: member.path),
        FileIdentity(status) == member.identity
      else { return }
      try system.unlink(member.path)
      FaultPoint.rotationPruned.pass()
    } catch .noEntry {
      // Another process has deleted it before.
    } catch {
      throw SystemError(operation: "unlink", path: member.path, errno: error)
    }
    marks.forget(member.identity)
    if FileNaming.directory(of: member.path) != FileNaming.directory(of: current.path) {
      removeEmptyDirectories(of: member.path)
    }
  }

  func lookUp(_ member: Member) throws(SystemError) -> stat? {
    do {
      let status = try system.linkStatusIfAny(ofPath: member.path)
      return status.flatMap { FileIdentity($0) == member.identity ? $0 : nil }
    } catch {
      throw SystemError(operation: "stat", path: member.path, errno: error)
    }
  }

  /// Whether another process is writing a file.
  func isInUse(_ member: Member) throws(SystemError) -> Bool {
    do {
      let descriptor = try system.open(member.path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY)
      defer { try? system.close(descriptor) }
      try system.lock(descriptor)
      SystemCalls.unlock(descriptor)
      return false
    } catch .wouldBlock {
      return true
    } catch {
      throw SystemError(operation: "lock", path: member.path, errno: error)
    }
  }
}
