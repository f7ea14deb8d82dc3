import Glibc
import Platform

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
    guard system.target(ofLink: link) != target else { return upkeep.link.end() }
    do {
      try checkLink()
      try replaceLink(link, target)
      upkeep.link.end()
    } catch {
      upkeep.link.say(error, "it doesn't lead to the current file", warn)
    }
  }

  private func replaceLink(_ link: String, _ target: String) throws(SinkError) {
    let temporary = link + ".new"
    do {
      do {
        try system.makeLink(temporary, to: target)
      } catch .exists where system.target(ofLink: temporary) != nil {
        // A kill has left it.
        try system.unlink(temporary)
        try system.makeLink(temporary, to: target)
      }
      FaultPoint.linkMade.pass()
      try system.rename(temporary, replacing: link)
      FaultPoint.linkRenamed.pass()
    } catch {
      throw SinkError(target: link, operation: "symlink", errno: error)
    }
  }
}
