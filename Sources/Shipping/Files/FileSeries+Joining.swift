import Compression
import Glibc
import Platform
import Spool

/// What becomes of the empty member that a compressed file begins with.
///
/// The empty member makes the file valid before there are entries; but programs that read only one member
/// would see nothing else. So the first member with entries takes it in, once it is written behind it: see
/// `CompressionFormat.joinedBeginning`. The length of the file doesn't change, so that all notes on it still
/// hold. If a kill comes before, or the change isn't possible, the file is as valid as it was.
extension FileSeries {
  /// Whether the file has nothing but an empty member, and no lines stand in front of its entries.
  var hasEmptyMember: Bool {
    guard let format = naming.compression, options.content.header?.isEmpty == true else { return false }
    return isEmpty && byteCount == format.emptyPart.count
  }

  /// Joins the first member with the empty one in front of it.
  ///
  /// - Parameter beginning: the new beginning of the file.
  func joinFirstMember(_ beginning: [UInt8]) {
    guard let file = current?.file, let format = naming.compression else { return }
    // Through another descriptor, as one opened to append writes only at the end.
    guard let descriptor = try? system.open(file.path, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY) else {
      return
    }
    defer { try? system.close(descriptor) }
    do throws(Errno) {
      let status = try system.status(descriptor)
      let expected = format.emptyPart + beginning.prefix(beginning.count - format.emptyPart.count)
      // Another process may have put another file there, or have emptied this one.
      guard FileIdentity(status) == file.identity, Int(status.st_size) == file.byteCount,
        try system.read(expected.count, of: descriptor, at: 0) == expected
      else { return }
      try system.replace(beginning, of: descriptor, at: 0)
      // Emptied at this very moment, the file would have nothing but that beginning.
      if Int(try system.status(descriptor).st_size) == beginning.count, file.byteCount > beginning.count {
        try system.truncate(descriptor, to: 0)
      }
      FaultPoint.memberJoined.pass()
    } catch {
      // The file keeps its empty member.
    }
  }

  /// Whether a file has nothing but an empty member, as a run leaves it that has written no entry.
  func isEmptyMember(_ file: EntryFile) -> Bool {
    guard let format = naming.compression, file.byteCount == format.emptyPart.count,
      let descriptor = try? system.open(file.path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY)
    else { return false }
    defer { try? system.close(descriptor) }
    guard let status = try? system.status(descriptor), FileIdentity(status) == file.identity else {
      return false
    }
    return (try? system.read(file.byteCount, of: descriptor, at: 0)) == format.emptyPart
  }

  /// Whether an offset where the empty member of a file had ended is inside its first member by now.
  func isInsideJoinedMember(_ descriptor: Int32, _ offset: Int) throws(Errno) -> Bool {
    guard let format = naming.compression, offset == format.emptyPart.count else { return false }
    return format.isJoined(try system.read(64, of: descriptor, at: 0))
  }
}
