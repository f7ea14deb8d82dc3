import Glibc
import Platform
import TestSupport
import Testing

/// Which part of a path is named when the system refuses the path.
@Suite struct RefusedPathTests {
  private func explanation(_ path: String) -> String {
    let descriptor = open(path, O_WRONLY | O_CLOEXEC)
    guard descriptor < 0 else {
      close(descriptor)
      return ""
    }
    return RefusedPath.explanation(of: path, code: errno)
  }

  @Test func aDirectoryThatIsNotThereIsNamed() throws {
    let home = try TemporaryDirectory()
    #expect(explanation(home.file("a/b/c")) == "; there is no \(home.file("a"))")
    #expect(explanation(home.file("a")).isEmpty, "the message has that name already")
    #expect(explanation(home.path + "//a/").isEmpty)
    symlink("nowhere/file", home.file("link"))
    #expect(explanation(home.file("link")) == "; there is no \(home.file("nowhere"))")
  }

  @Test func whatIsNoDirectoryIsNamed() throws {
    let home = try TemporaryDirectory()
    try writeFile(home.file("file"), [])
    #expect(explanation(home.file("file/b/c")) == "; \(home.file("file")) is no directory")
    symlink("file", home.file("link"))
    #expect(explanation(home.file("link/b")) == "; \(home.file("file")) is no directory")
  }

  @Test func linksThatLeadInACircleAreNamed() throws {
    let home = try TemporaryDirectory()
    symlink("b", home.file("a"))
    symlink("a", home.file("b"))
    #expect(explanation(home.file("a/x")).hasPrefix("; the symbolic link \(home.path)/"))
    #expect(explanation(home.file("a/x")).contains("leads in a circle"))
  }

  @Test func whoseItIsAndWhoAsks() throws {
    let home = try TemporaryDirectory()
    try writeFile(home.file("file"), [])
    chmod(home.file("file"), 0o040)
    let user = String(cString: try #require(getpwuid(geteuid())).pointee.pw_name)
    let group = String(cString: try #require(getgrgid(getegid())).pointee.gr_name)
    let asked = "\(user):\(group) with mode 0040, and \(user):\(group) is asking"
    #expect(
      RefusedPath.explanation(of: home.file("file"), code: EACCES)
        == "; \(home.file("file")) belongs to \(asked)")
    // If a file may not be made, its directory is named.
    let missing = RefusedPath.explanation(of: home.file("new"), code: EACCES)
    #expect(missing.hasPrefix("; \(home.path) belongs to \(user):"), "\(missing)")
  }

  @Test func whatNeedsNoWordsGetsNone() throws {
    let home = try TemporaryDirectory()
    for code in [ENOSPC, EIO, EISDIR, 0] {
      #expect(RefusedPath.explanation(of: home.path, code: code).isEmpty)
    }
    #expect(RefusedPath.explanation(of: "", code: ENOENT).isEmpty)
    #expect(RefusedPath.explanation(of: home.path, code: ENOENT).isEmpty, "it has come meanwhile")
  }
}
