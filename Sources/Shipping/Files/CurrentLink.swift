import Glibc
import Platform
import Spool

/// A symbolic link that leads to the current file.
struct CurrentLink {
  let path: String
  let system: SystemCalls
  let warn: @Sendable (String) -> Void
  private var trouble = Trouble<FailedOperation>()

  init(path: String, system: SystemCalls, warn: @escaping @Sendable (String) -> Void) {
    self.path = path
    self.system = system
    self.warn = warn
  }

  /// Whether the link doesn't lead to the current file.
  var isInTrouble: Bool { trouble.isThere }

  /// Makes sure that the link's name is free, or that of a link.
  func check() throws(SystemError) {
    let status: stat
    do {
      status = try system.linkStatus(ofPath: path)
    } catch .noEntry {
      return
    } catch {
      throw SystemError(operation: "symlink", path: path, errno: error)
    }
    guard status.isSymbolicLink else {
      throw SystemError(
        operation: "symlink", path: path,
        problem: "it exists and is no symbolic link, which --symlink needs")
    }
  }

  /// Replaces the link if it leads elsewhere; at any moment there is a link of that name.
  mutating func renew(to file: String) {
    let isBeside = FileNaming.directory(of: path) == FileNaming.directory(of: file)
    let target = isBeside ? FileNaming.fileName(of: file) : file
    guard system.target(ofLink: path) != target else {
      trouble.end()
      return
    }
    do {
      try check()
      try replace(by: target)
      trouble.end()
    } catch {
      trouble.say(error, "it doesn't lead to the current file", warn)
    }
  }

  /// How many names are tried for the link before it is renamed into its place.
  private static let temporaryNamesMax = 20

  private func replace(by target: String) throws(SystemError) {
    do {
      let temporary = try makeTemporaryLink(target)
      FaultPoint.linkMade.pass()
      try system.rename(temporary, replacing: path)
      FaultPoint.linkRenamed.pass()
    } catch {
      throw SystemError(operation: "symlink", path: path, errno: error)
    }
  }

  /// Makes the link under a free name, passing over names that other processes use.
  private func makeTemporaryLink(_ target: String) throws(Errno) -> String {
    for number in 1...Self.temporaryNamesMax {
      let temporary = path + (number == 1 ? ".new" : ".new-\(number)")
      // A kill may have left a temporary link of ours.
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
