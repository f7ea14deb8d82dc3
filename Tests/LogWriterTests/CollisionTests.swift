import VarnishLog
import Glibc
import LogWriterSupport
import LogWriting
import TestSupport
import Testing

/// Two writers in one directory, and what earlier writers have left there, with real processes.
struct CollisionTests {
  static let formats = ["narrow", "wide", "single"]

  private static func options(_ format: String, logByteCount: Int = 1 << 16) -> LogWriterOptions {
    var options = LogWriterOptions(LogFormats.named(format) ?? .singleFile)
    options.logByteCount = logByteCount
    options.textByteCountMax = 1000
    options.batchByteCount = 4096
    return options
  }

  /// Makes a log; returns the error, if any.
  private static func attempt(_ path: String, _ format: String) -> LogWriterError? {
    do throws(LogWriterError) {
      let writer = try LogWriter(directory: path, options: options(format))
      writer.append(.cli, "there")
      return nil
    } catch {
      return error
    }
  }

  private static func inode(_ path: String) -> UInt64? {
    var status = stat()
    return lstat(path, &status) == 0 ? UInt64(status.st_ino) : nil
  }

  @Test(arguments: formats, formats)
  func `a log whose writer lives is left alone`(format: String, other: String) throws {
    let directory = try TemporaryDirectory()
    let peer = try WriterPeer()
    try peer.order("open \(format) 65536 \(directory.path)")
    let before = directoryEntries(directory.path)
    let error = Self.attempt(directory.path, other)
    #expect(error == .inUse(path: directory.path, pid: peer.process.identifier))
    let text = error?.description ?? ""
    #expect(text.contains("process \(peer.process.identifier)") && text.contains("another directory"))
    #expect(directoryEntries(directory.path) == before)
    try peer.order("write 1 0 10")
    // This process can't have a second writer there, either.
    try peer.kill()
    let writer = try LogWriter(directory: directory.path, options: Self.options(other))
    #expect(Self.attempt(directory.path, other) == .inUse(path: directory.path, pid: getpid()))
    // After its close the place is free, and a repeated close leaves alone what another writer makes there.
    writer.close()
    let next = try LogWriter(directory: directory.path, options: Self.options(format))
    let there = directoryEntries(directory.path)
    writer.close()
    #expect(directoryEntries(directory.path) == there)
    next.close()
  }

  @Test(arguments: formats, formats)
  func `what a dead writer left is made anew`(format: String, other: String) throws {
    let directory = try TemporaryDirectory()
    let peer = try WriterPeer()
    try peer.order("open \(format) 65536 \(directory.path)")
    let names = ["/_.vsm_mgt/_.index", "/_.vsm_child/_.index", "/_.vsm"].map { directory.path + $0 }
    let kept = names.compactMap { name in Self.inode(name).map { (name, open(name, O_RDONLY), $0) } }
    #expect(!kept.isEmpty)
    defer { for (_, file, _) in kept { close(file) } }
    try peer.kill()
    #expect(Self.attempt(directory.path, other) == nil)
    // No other file can have the old file's inode number as long as that is open, so another number means a
    // new file.
    for (name, file, inode) in kept {
      #expect(Self.inode(name) != inode)
      var status = stat()
      #expect(fstat(file, &status) == 0 && status.st_nlink == 0)
    }
  }

  @Test(arguments: formats)
  func `a process that bears a dead writer's number by chance is no writer`(format: String) throws {
    let directory = try TemporaryDirectory()
    let stranger = try ChildProcess(Command("sleep", ["60"]))
    defer { stranger.signal(SIGKILL) }
    // A log that names the process as its writer, but is older than the process.
    try Self.forge(directory.path, format, pid: stranger.identifier, birth: Int64(time(nil)) - 100)
    #expect(Self.attempt(directory.path, format) == nil)
    // A log that the process may have written.
    try Self.forge(directory.path, format, pid: stranger.identifier, birth: Int64(time(nil)) + 1)
    let error = Self.attempt(directory.path, format)
    #expect(error == .inUse(path: directory.path, pid: stranger.identifier))
    // The refusal leaves nothing behind that would prevent a later writer.
    stranger.signal(SIGKILL)
    try stranger.wait(by: .after(.seconds(10)))
    #expect(Self.attempt(directory.path, format) == nil)
  }

  @Test(arguments: formats)
  func `a child that still runs keeps nobody away`(format: String) throws {
    let directory = try TemporaryDirectory()
    let child = try ChildProcess(Command("sleep", ["60"]))
    defer { child.signal(SIGKILL) }
    let ended = try ChildProcess(Command("true"))
    try ended.wait(by: .after(.seconds(10)))
    try Self.forge(
      directory.path, format, pid: ended.identifier, child: child.identifier, birth: Int64(time(nil)) + 1)
    #expect(Self.attempt(directory.path, format) == nil)
  }

  @Test(arguments: formats)
  func `a file of another version, size or kind is replaced`(format: String) throws {
    let contents: [[UInt8]] = [
      [], Array("VSMHEAD0".utf8) + [UInt8](repeating: 0, count: 4096), [UInt8](repeating: 0xFF, count: 100),
      Array("# 99999999999999 x\n+ nonsense\n".utf8),
    ]
    for bytes in contents {
      let directory = try TemporaryDirectory()
      try writeFile(directory.file("_.vsm"), bytes)
      try writeFile(directory.file("_.vsl"), bytes)
      try writeFile(directory.file("_.pid"), bytes)
      #expect(mkdir(directory.file("_.vsm_mgt"), 0o755) == 0)
      try writeFile(directory.file("_.vsm_mgt/_.index"), bytes)
      try writeFile(directory.file("_.vsm_child"), bytes)
      let writer = try LogWriter(directory: directory.path, options: Self.options(format))
      #expect(writer.statistics.records == 0)
      let expected = format == "single" ? ["_.pid", "_.vsm"] : ["_.pid", "_.vsm_child", "_.vsm_mgt"]
      #expect(directoryEntries(directory.path) == expected)
    }
  }

  @Test(arguments: formats)
  func `a symbolic link is replaced and where it leads is left alone`(format: String) throws {
    let directory = try TemporaryDirectory()
    let elsewhere = try TemporaryDirectory()
    try writeFile(elsewhere.file("_.precious"), Array("precious".utf8))
    for name in ["_.vsm_mgt", "_.vsm_child"] {
      #expect(symlink(elsewhere.path, directory.file(name)) == 0)
    }
    for name in ["_.vsm", "_.pid"] {
      #expect(symlink(elsewhere.file("_.precious"), directory.file(name)) == 0)
    }
    #expect(Self.attempt(directory.path, format) == nil)
    #expect(try readText(elsewhere.file("_.precious")) == "precious")
    #expect(directoryEntries(elsewhere.path) == ["_.precious"])
  }

  @Test(arguments: formats)
  func `what no log has left there is left there`(format: String) throws {
    let directory = try TemporaryDirectory()
    try writeFile(directory.file("notes"), Array("mine".utf8))
    #expect(mkdir(directory.file("_.vsm_mgt"), 0o755) == 0)
    try writeFile(directory.file("_.vsm_mgt/notes"), Array("mine".utf8))
    let error = Self.attempt(directory.path, format)
    #expect(error == .obstructed(path: directory.file("_.vsm_mgt"), entry: "notes"))
    #expect(try readText(directory.file("_.vsm_mgt/notes")) == "mine")
    #expect(unlink(directory.file("_.vsm_mgt/notes")) == 0)
    #expect(Self.attempt(directory.path, format) == nil)
    #expect(try readText(directory.file("notes")) == "mine")
  }

  @Test(.needs(.root), arguments: formats)
  func `a file that can't be read is replaced where that is allowed`(format: String) throws {
    let directory = try TemporaryDirectory()
    let nobody = uid_t(65534)
    for name in ["_.vsm", "_.pid"] {
      try writeFile(directory.file(name), Array("secret".utf8))
      #expect(chmod(directory.file(name), 0) == 0)
    }
    #expect(chown(directory.path, nobody, nobody) == 0)
    let peer = try WriterPeer()
    try peer.order("become \(nobody)")
    try peer.order("open \(format) 65536 \(directory.path)")
    try peer.order("write 1 0 10")
    try peer.kill()
  }

  @Test(.needs(.root), arguments: formats)
  func `without permission nothing is made, and the error says where`(format: String) throws {
    let directory = try TemporaryDirectory()
    #expect(chmod(directory.path, 0o755) == 0)
    let peer = try WriterPeer()
    try peer.order("become 65534")
    let reply = try peer.ask("open \(format) 65536 \(directory.path)") ?? ""
    #expect(reply.hasPrefix("error: \(directory.path)/_.pid: open: Permission denied"), "\(reply)")
    let missing = try peer.ask("open \(format) 65536 \(directory.path)/deep") ?? ""
    #expect(
      missing.hasPrefix("error: \(directory.path)/deep: make a directory: Permission denied"), "\(missing)")
    #expect(directoryEntries(directory.path).isEmpty)
    try peer.kill()
  }

  /// Puts a log into the directory that names a process as its writer.
  private static func forge(
    _ path: String, _ format: String, pid: Int32, child: Int32 = 0, birth: Int64
  ) throws {
    if format == "single" {
      var head = [UInt8](repeating: 0, count: 1 << 17)
      head.withUnsafeMutableBytes { head in
        head.storeBytes(of: 4_185_512_502, as: UInt32.self)
        head.storeBytes(of: birth, toByteOffset: 8, as: Int64.self)
        head.storeBytes(of: pid, toByteOffset: 16, as: Int32.self)
        head.storeBytes(of: child, toByteOffset: 20, as: Int32.self)
      }
      try writeFile(path + "/_.vsm", head)
      return
    }
    for (set, owner) in [("_.vsm_mgt", pid), ("_.vsm_child", child == 0 ? pid : child)] {
      _ = mkdir("\(path)/\(set)", 0o755)
      try writeFile("\(path)/\(set)/_.index", Array("# \(owner) \(birth)\n".utf8))
    }
  }
}
