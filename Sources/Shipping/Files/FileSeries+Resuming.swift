import Checkpoints
import Compression
import Glibc
import Platform
import Spool

/// Going on for an earlier run.
///
/// That run has noted which file it was writing, how long that was, and what it was about to add. So the length that
/// the file has now tells what is in it, even if it has another name by now, and independent of what killed that run.
extension FileSeries {
  /// Finds the file that an earlier run has noted, cuts off what that had not finished, and says what another process
  /// has done to it; before the first file is opened.
  ///
  /// - Returns: how the output stands, without a place.
  /// - Throws: `SystemError` if it can't be found out, or not be cut.
  mutating func resume(_ resumption: FileResumption, at now: Moment) throws(SystemError) -> OutputStanding {
    let noted = resumption.standing
    var standing = OutputStanding(done: noted.done, sequence: noted.sequence)
    guard let place = noted.place else { return standing }
    let path = try currentPath(now)
    guard let found = try catalog.find(place, at: path) else {
      warn(
        "\(path): the file of the last run was removed, or moved to another directory; what was in it isn't written "
          + "again")
      return standing
    }
    if found.path != path { try sayRenaming(found, path) }
    let byteCount = Int(found.status.st_size)
    let length = NotedLength(byteCount, of: noted, at: place, mayHaveGoneOn: resumption.mayHaveGoneOn)
    if length.hasPending, let pending = noted.pending {
      (standing.done, standing.sequence) = (pending.done, pending.sequence)
    }
    var isWhole = false
    var left = byteCount
    switch length {
    case .asNoted, .written:
      isWhole = true
    case .unfinished where resumption.canRepeat:
      if let cutLeft = try cut(found, back: place.byteCount) { (isWhole, left) = (true, cutLeft) }
      // Emptied by another process before that write, it has just what was written.
      if !isWhole, let pending = noted.pending,
        pending.byteCount - place.byteCount == byteCount
      {
        (standing.done, standing.sequence) = (pending.done, pending.sequence)
      }
    case .unfinished:
      // What of that write is whole stays, but of a compressed file nothing is. The log may still have some of it, which
      // must not be written twice.
      if let pending = noted.pending, naming.compression == nil {
        (standing.done, standing.sequence) = (pending.done, pending.sequence)
        warn(
          "\(found.path): the last write was torn, and the log no longer has what it was made of; up to "
            + "\(max(0, pending.byteCount - byteCount)) bytes of it are lost")
      }
    case .grown(let excess, _):
      warn(
        "\(found.path): has \(excess) bytes that another process has written since the last run; they stay")
    case .shortened:
      warn(
        "\(found.path): was cut to \(byteCount) bytes by another process since the last run; what was in it isn't "
          + "written again")
    }
    if found.path != path {
      if !isWhole { _ = try catalog.repair(found.path, found.status) }
    } else if isWhole, try isCompressedAsWanted(found), case .closed(var predecessor) = state {
      // Not looked through from its beginning once more.
      predecessor.left = (place.file, left)
      state = .closed(predecessor)
    }
    return standing
  }

  /// Says that the file has got another name, unless that is one that this output gives itself.
  private func sayRenaming(_ found: FileCatalog.Found, _ path: String) throws(SystemError) {
    guard naming.age(ofFileName: FileNaming.fileName(of: found.path)) == nil else { return }
    let next = try catalog.status(path) == nil ? "a new file" : "the file that has its name now"
    warn(
      "\(path): was renamed to \(FileNaming.fileName(of: found.path)) since the last run; goes on in \(next)")
  }

  /// Cuts a file back to what was noted, if that is the end of an entry or a member.
  ///
  /// - Returns: how many bytes are left; nil if that isn't done.
  private func cut(_ found: FileCatalog.Found, back byteCount: Int) throws(SystemError) -> Int? {
    var byteCount = byteCount
    var excess = Int(found.status.st_size) - byteCount
    do throws(Errno) {
      let descriptor = try system.open(found.path, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY)
      defer { try? system.close(descriptor) }
      let status = try system.status(descriptor)
      if try isInsideJoinedMember(descriptor, byteCount) { (byteCount, excess) = (0, excess + byteCount) }
      guard FileIdentity(status) == FileIdentity(found.status), status.st_size == found.status.st_size,
        try isBoundary(descriptor, at: byteCount, excess: excess)
      else {
        warn("\(found.path): isn't as the last run has left it; nothing is cut off")
        return nil
      }
      try system.truncate(descriptor, to: byteCount)
      FaultPoint.resumeCut.pass()
      // It is as old as its last line: rotation and retention go by that.
      try? system.restoreTimes(descriptor, status)
    } catch {
      throw SystemError(operation: "cut", path: found.path, errno: error)
    }
    warn(
      "\(found.path): cut \(excess) bytes of an unfinished write, \(byteCount) bytes are left; what was in them is "
        + "written again")
    return byteCount
  }

  /// Whether a file is compressed, and is to be: what was asked for may have changed since.
  private func isCompressedAsWanted(_ found: FileCatalog.Found) throws(SystemError) -> Bool {
    guard let format = naming.compression else { return false }
    do throws(Errno) {
      let descriptor = try system.open(found.path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY)
      defer { try? system.close(descriptor) }
      // An empty member must be all that it should be: a power cut may have left part of a change to it.
      if Int(found.status.st_size) == format.emptyPart.count {
        return try system.read(format.emptyPart.count, of: descriptor, at: 0) == format.emptyPart
      }
      return try PartScan.format(descriptor, system) == format
    } catch {
      throw SystemError(operation: "read", path: found.path, errno: error)
    }
  }

  /// Whether one entry or member may end and another begin at an offset in a file.
  private func isBoundary(_ descriptor: Int32, at offset: Int, excess: Int) throws(Errno) -> Bool {
    guard offset > 0 else { return true }
    if let format = naming.compression {
      let lead = try system.read(min(excess, 4), of: descriptor, at: offset)
      return format.emptyPart.starts(with: lead.prefix(format == .gzip ? 2 : 4))
    }
    guard options.content.binary == nil else { return true }
    return try system.read(1, of: descriptor, at: offset - 1) == [UInt8(ascii: "\n")]
  }
}

extension FileCatalog {
  /// A file that was looked for.
  struct Found {
    let path: String
    let status: stat
  }

  /// Finds a file that was noted: where it is to be expected, or under any other name in the directories of this
  /// output.
  mutating func find(_ place: OutputPlace, at path: String) throws(SystemError) -> Found? {
    if let found = try check(path, place) { return found }
    do throws(SystemError) {
      var directories = try directories()
      let directory = FileNaming.directory(of: path)
      if !directories.contains(directory) { directories.append(directory) }
      for directory in directories {
        for name in try names(inDirectory: directory) {
          if let found = try check(FileNaming.path(of: name, in: directory), place) { return found }
        }
      }
    } catch  where error.code == ENOENT || error.code == EACCES {
      // Where there is no directory, or one that can't be looked into, there is nothing to be found.
    }
    return nil
  }

  /// What a path leads to, if it is a file that was noted.
  ///
  /// Its number tells it from a later one that has got its place in the file system.
  private mutating func check(_ path: String, _ place: OutputPlace) throws(SystemError) -> Found? {
    guard let status = try status(path), status.isRegular, FileIdentity(status) == place.file else {
      return nil
    }
    if place.number > 0, let number = number(path, status), number != place.number { return nil }
    return Found(path: path, status: status)
  }
}
