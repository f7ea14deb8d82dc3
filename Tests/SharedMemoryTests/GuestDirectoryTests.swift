import Glibc
import Platform
import SharedMemory
import TestSupport
import Testing

/// Files in a directory in which another user may have planted something.
@Suite struct GuestDirectoryTests {
  private let home: TemporaryDirectory
  private var guest: String { home.file("guest") }

  init() throws {
    home = try TemporaryDirectory()
    try #require(mkdir(home.file("guest"), 0o755) == 0)
    try #require(mkdir(home.file("guest/in"), 0o755) == 0)
    try writeFile(home.file("outside"), Array("secret".utf8))
  }

  private func read(_ name: String) throws(SystemError) -> String {
    let directory = try ReadOnlyFile(directory: guest)
    let file = try ReadOnlyFile(regular: name, in: directory)
    return String(decoding: try file.contents(limit: 100), as: UTF8.self)
  }

  private func problem(_ name: String) -> String {
    do {
      return "read: \(try read(name))"
    } catch {
      return error.description
    }
  }

  @Test func aFileIsRead() throws {
    try writeFile(guest + "/in/file", Array("text".utf8))
    #expect(try read("in/file") == "text")
  }

  @Test func linksAreNotFollowedWhereverTheyStand() throws {
    symlink("../../outside", guest + "/in/link")
    #expect(problem("in/link") == "\(guest)/in/link: open: it is a symbolic link, not a file")
    symlink("in", guest + "/other")
    try writeFile(guest + "/in/file", [])
    #expect(problem("other/file") == "\(guest)/other: open: it is a symbolic link, not a directory")
  }

  @Test func pipesDevicesAndSocketsAreNotOpened() throws {
    try #require(mkfifo(guest + "/in/pipe", 0o644) == 0)
    #expect(problem("in/pipe") == "\(guest)/in/pipe: open: it is a named pipe, not a file")
    #expect(problem("in") == "\(guest)/in: open: it is a directory, not a file")
    if mknod(guest + "/in/zero", S_IFCHR | 0o644, 1 << 8 | 5) == 0 {
      #expect(problem("in/zero") == "\(guest)/in/zero: open: it is a device, not a file")
    }
  }

  @Test func aPipeIsNoDirectoryEither() throws {
    try #require(mkfifo(home.file("pipe"), 0o644) == 0)
    #expect(throws: SystemError.self) { _ = try ReadOnlyFile(directory: home.file("pipe")) }
  }
}
