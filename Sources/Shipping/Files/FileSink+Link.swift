import Glibc
import Platform
import Spool

/// A symbolic link that leads to the current file.
extension FileSink {
  /// Makes sure that the link's name is free, or a link's.
  func checkLink() throws(SinkError) {
    guard let link = options.link else { return }
    let status: stat
    do {
      status = try system.linkStatus(ofPath: link)
    } catch .noEntry {
      return
    } catch {
      throw SinkError(target: link, operation: "symlink", errno: error)
    }
    guard status.isSymbolicLink else {
      throw SinkError(
        target: link, operation: "symlink",
        refusal: "it exists and is no symbolic link, which --symlink needs")
    }
  }

  /// Replaces the link, if it leads somewhere else, so that there is one at any moment.
  func renewLink() {
    guard let link = options.link, file != nil else { return }
    let isBeside = FileNaming.directory(of: link) == FileNaming.directory(of: name)
    let target = isBeside ? FileNaming.fileName(of: name) : name
    guard system.target(ofLink: link) != target else {
      upkeep.link.end()
      return
    }
    do {
      try checkLink()
      try replaceLink(link, target)
      upkeep.link.end()
    } catch {
      upkeep.link.say(error, "it doesn't lead to the current file", warn)
    }
  }

  /// How many names are tried for the link before it is renamed into its place.
  private static let temporaryNamesMax = 20

  private func replaceLink(_ link: String, _ target: String) throws(SinkError) {
    do {
      let temporary = try makeTemporaryLink(link, target)
      FaultPoint.linkMade.pass()
      try system.rename(temporary, replacing: link)
      FaultPoint.linkRenamed.pass()
    } catch {
      throw SinkError(target: link, operation: "symlink", errno: error)
    }
  }

  /// Makes the link under a name that nothing has; what somebody else has put there is passed over.
  private func makeTemporaryLink(_ link: String, _ target: String) throws(Errno) -> String {
    for number in 1...Self.temporaryNamesMax {
      let temporary = link + (number == 1 ? ".new" : ".new-\(number)")
      // A kill may have left a link of ours.
      if let status = try system.linkStatusIfAny(ofPath: temporary), status.isSymbolicLink,
        status.st_uid == geteuid()
      {
        try system.unlink(temporary)
      }
      do {
        try system.makeLink(temporary, to: target)
        return temporary
      } catch .exists {
        continue
      }
    }
    throw .exists
  }
}
