import Checkpoints
import Compression
import Glibc
import Platform
import Spool

/// Continues a file of an earlier run.
///
/// That run has noted which file it was writing, how long the file was, and what it was about to append. So
/// the file's present length tells what is in it, even if it has another name by now, and however
/// that run was killed.
extension FileSeries {
  /// Finds the file that an earlier run has noted, cuts off what that run had not finished, and reports what
  /// another process has done to the file; before the first file is opened.
  ///
  /// - Returns: the output's standing, without a place.
  /// - Throws: `SystemError` if the file's state can't be determined, or the file can't be cut.
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
      // If another process had emptied the file before that write, the file has just what was written.
      if !isWhole, let pending = noted.pending,
        pending.byteCount - place.byteCount == byteCount
      {
        (standing.done, standing.sequence) = (pending.done, pending.sequence)
      }
    case .unfinished:
      // Whole entries of that write stay, except in a compressed file, where nothing does. The log may still
      // have some of these entries, which must not be written twice.
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
      // Spares reading the file once more from its beginning.
      predecessor.left = (place.file, left)
      state = .closed(predecessor)
    }
    return standing
  }

  /// Reports the file's new name, unless this output gives such names itself.
  private func sayRenaming(_ found: FileCatalog.Found, _ path: String) throws(SystemError) {
    guard naming.age(ofFileName: FileNaming.fileName(of: found.path)) == nil else { return }
    let next = try catalog.status(path) == nil ? "a new file" : "the file that has its name now"
    warn(
      "\(path): was renamed to \(FileNaming.fileName(of: found.path)) since the last run; goes on in \(next)")
  }

  /// Cuts a file back to the length that was noted, if an entry or a member ends there.
  ///
  /// - Returns: how many bytes are left; nil if the file isn't cut.
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
      // The file's age is that of its last line, by which rotation and retention go.
      try? system.restoreTimes(descriptor, status)
    } catch {
      throw SystemError(operation: "cut", path: found.path, errno: error)
    }
    warn(
      "\(found.path): cut \(excess) bytes of an unfinished write, \(byteCount) bytes are left; what was in them is "
        + "written again")
    return byteCount
  }

  /// Whether a file is compressed, as the options want it now; they may have changed since it was written.
  private func isCompressedAsWanted(_ found: FileCatalog.Found) throws(SystemError) -> Bool {
    guard let format = naming.compression else { return false }
    do throws(Errno) {
      let descriptor = try system.open(found.path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY)
      defer { try? system.close(descriptor) }
      // An empty member must be complete, byte by byte: a power cut may have left part of a change to it.
      if Int(found.status.st_size) == format.emptyPart.count {
        return try system.read(format.emptyPart.count, of: descriptor, at: 0) == format.emptyPart
      }
      return try PartScan.format(descriptor, system) == format
    } catch {
      throw SystemError(operation: "read", path: found.path, errno: error)
    }
  }

  /// Whether an entry or member may end at an offset in a file, and the next one begin.
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

  /// Finds the file that was noted: under its expected name, or any other name in the directories of this
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
      // A missing or unreadable directory has no such file.
    }
    return nil
  }

  /// Checks whether a path leads to the file that was noted.
  ///
  /// The file's number distinguishes it from a later file that got the same inode.
  private mutating func check(_ path: String, _ place: OutputPlace) throws(SystemError) -> Found? {
    guard let status = try status(path), status.isRegular, FileIdentity(status) == place.file else {
      return nil
    }
    if place.number > 0, let number = number(path, status), number != place.number { return nil }
    return Found(path: path, status: status)
  }
}
