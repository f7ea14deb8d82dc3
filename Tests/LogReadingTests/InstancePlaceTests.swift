import Glibc
import LogReading
import TestSupport
import Testing
import VarnishLog

/// Where in an instance's directory a log is found, and where not.
struct InstancePlaceTests {
  private let directory: TemporaryDirectory

  init() throws { directory = try TemporaryDirectory() }

  private func texts(_ start: LogStart = .head) throws -> [String] {
    var reader = try RingReader(directory.path, start: start)
    return try reader.take().texts.filter { $0.hasPrefix("/") }
  }

  @Test func `directories count before a file`() throws {
    let old = try Server41(directory: directory.path)
    old.log("/old", number: 1)
    #expect(try texts() == ["/old"])
    let new = try IndexedServer<IndexStyleC>(directory: directory.path)
    new.log("/new", number: 1)
    #expect(try texts() == ["/new"])
  }

  @Test func `a file that lay beside directories isn't the log when they go`() throws {
    let old = try Server41(directory: directory.path)
    old.log("/old", number: 1)
    let new = try IndexedServer<IndexStyleC>(directory: directory.path)
    var follower = InstanceFollower(path: directory.path)
    follower.refresh()
    #expect(follower.hasManager == true)
    new.leave()
    for _ in 0..<3 {
      follower.refresh()
      #expect(follower.hasManager == false)
    }
    // A log that is made afterwards is found.
    let again = try Server41(directory: directory.path)
    again.log("/again", number: 1)
    follower.refresh()
    #expect(follower.hasManager == true)
    #expect(try texts() == ["/again"])
  }

  @Test func `a server that has gone over to directories is followed there`() throws {
    let old = try Server40(directory: directory.path)
    old.log("/old", number: 1)
    var follower = InstanceFollower(path: directory.path)
    follower.refresh()
    guard try follower.attach(start: .head, stopsAtTail: false) != nil else {
      Issue.record("no log")
      return
    }
    let new = try IndexedServer<IndexStyleA>(directory: directory.path)
    new.log("/new", number: 1)
    follower.refresh()
    #expect(follower.isStale == true)
  }

  @Test func `what is abandoned is no log, unless one comes to see what is left`() throws {
    let server = try Server41(directory: directory.path)
    server.log("/last", number: 1)
    server.leave()
    var follower = InstanceFollower(path: directory.path)
    follower.refresh()
    #expect(!follower.hasManager && follower.trouble.hasSuffix("its varnishd has ended and let go of it"))
    var late = InstanceFollower(path: directory.path, isPostMortem: true)
    late.refresh()
    #expect(late.hasManager == true)
    var named = InstanceFollower(file: directory.file("_.vsm"))
    named.refresh()
    guard let ring = try named.attach(start: .head, stopsAtTail: true), case .narrow(var ring) = consume ring,
      case .records = try ring.next()
    else {
      Issue.record("nothing is read")
      return
    }
    // The log of a named file stays, even if the file is removed.
    unlink(directory.file("_.vsm"))
    named.refresh()
    #expect(named.isStale == false)
  }

  @Test func `what is no log is said, and where it goes wrong`() throws {
    for (bytes, problem) in [
      ([UInt8](repeating: 0x41, count: 5000), "no marker of a log in one file"),
      ([UInt8](repeating: 0, count: 5000), "is changing it, or hasn't finished making it"),
      ([], "is changing it, or hasn't finished making it"), ([1, 2, 3], "3 bytes are too few for a log"),
    ] {
      try writeFile(directory.file("_.vsm"), bytes)
      var follower = InstanceFollower(path: directory.path)
      follower.refresh()
      #expect(!follower.hasManager && follower.trouble.contains(problem), "\(follower.trouble)")
      unlink(directory.file("_.vsm"))
    }
    symlink("/dev/zero", directory.file("_.vsm"))
    var follower = InstanceFollower(path: directory.path)
    follower.refresh()
    #expect(follower.isRefused == true)
  }

  /// Two logs in files with the same inode are two.
  @Test func `a position in a file is none in the next`() throws {
    let server = try Server41(directory: directory.path)
    server.log("/1", number: 1)
    let position = try RingReader(directory.path, start: .tail).nextPosition()
    server.log("/2", number: 2)
    var same = try RingReader(directory.path, start: .at(position))
    #expect(same.resumption == .held)
    #expect(try same.take().texts.contains("/2"))
    let other = try Server41(directory: directory.path)
    other.log("/3", number: 1)
    var next = try RingReader(directory.path, start: .at(position))
    #expect(next.resumption == .otherIncarnation)
    #expect(try next.take().texts.contains("/3"))
  }
}
