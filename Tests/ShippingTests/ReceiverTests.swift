import Platform
import Glibc
@testable import Shipping
@testable import Spool
import Testing

/// Receivers that expect something other than lines on a connection, or behave in unusual ways.
@Suite struct ReceiverTests {
  private let directory = TemporaryDirectory()
  private let said = Collected<String>()

  private func output(
    _ address: SocketAddress, framing: Framing? = nil, onRestart: RestartPolicy = .resend, header: String = ""
  ) throws -> Output {
    try Output(
      to: SocketLink(address: address, framing: framing, system: .real), onRestart: onRestart, header: header,
      said: said)
  }

  private func address(_ family: SocketTests.Family) -> SocketAddress {
    switch family {
    case .unix: .unix(path: directory.file("socket"))
    case .ipv4: .tcp(host: "127.0.0.1", port: 0)
    case .ipv6: .tcp(host: "::1", port: 0)
    }
  }

  /// Splits a stream of entries with lengths; nil if the stream is malformed.
  private func counted(_ stream: [UInt8]) -> [String]? {
    var entries: [String] = []
    var rest = stream[...]
    while let blank = rest.firstIndex(of: UInt8(ascii: " ")) {
      guard let count = Int(String(decoding: rest[..<blank], as: UTF8.self)), count > 0,
        rest.endIndex - blank - 1 >= count
      else { return nil }
      rest = rest[(blank + 1)...]
      entries.append(String(decoding: rest.prefix(count), as: UTF8.self))
      rest = rest.dropFirst(count)
    }
    return rest.isEmpty ? entries : nil
  }

  private static let lines = (0..<30_000).map {
    "192.0.2.\($0 % 256) größe \($0) \(String(repeating: "x", count: $0 % 90))"
  }

  @Test(arguments: SocketTests.Family.allCases)
  func entriesAreCounted(family: SocketTests.Family) throws {
    let listener = TestListener(address(family))
    let output = try output(listener.address, framing: .octetCount, header: "#Version: 1.0\n#Fields: a\n")
    var writer = output.makeWriter()
    for line in Self.lines { writer.append(line) }
    writer.finish()
    let peer = TestThread { listener.connection().bytesToTheEnd() }
    let report = output.join(drainSeconds: 60)
    let stream = try #require(peer.join())
    #expect(counted(stream) == ["#Version: 1.0", "#Fields: a"] + Self.lines)
    #expect(report.written == output.usage.committed)
    #expect(report.lostEntries == 0)
  }

  @Test func entriesEndWithANUL() throws {
    let listener = TestListener(address(.ipv4))
    let output = try output(listener.address, framing: .null)
    var writer = output.makeWriter()
    for line in Self.lines { writer.append(line) }
    writer.finish()
    let peer = TestThread { listener.connection().bytesToTheEnd() }
    #expect(output.join(drainSeconds: 60).written == output.usage.committed)
    let stream = try #require(peer.join())
    #expect(stream == Array(Self.lines.map { $0 + "\0" }.joined().utf8))
  }

  @Test(arguments: SocketTests.Family.allCases)
  func whatAResetHasCutIsCountedAnewInTheNextConnection(family: SocketTests.Family) throws {
    let listener = TestListener(address(family))
    let output = try output(listener.address, framing: .octetCount)
    var writer = output.makeWriter()
    for line in Self.lines { writer.append(line) }
    writer.finish()
    let peers = TestThread { () -> [[UInt8]] in
      let first = listener.connection()
      // In the middle of an entry.
      let beginning = first.bytes(100_001)
      first.reset()
      return [beginning, listener.connection().bytesToTheEnd()]
    }
    let report = output.join(drainSeconds: 60)
    let streams = try #require(peers.join())
    let entries = try #require(counted(streams[1]), "it begins with a count")
    #expect(entries == Array(Self.lines.suffix(entries.count)))
    #expect(report.written.entries + report.unconfirmed.entries == Self.lines.count)
    if family == .unix { #expect(report.unconfirmed == .zero, "there it is known what was read") }
  }

  // MARK: Peers that only listen

  @Test(arguments: SocketTests.Family.allCases)
  func aPeerThatSendsNothingMoreIsAConsumerStill(family: SocketTests.Family) throws {
    let listener = TestListener(address(family))
    let output = try output(listener.address)
    var writer = output.makeWriter()
    writer.append("first")
    writer.publish()
    let peer = listener.connection()
    #expect(peer.lines(1) == ["first"])
    peer.endSending()
    let lines = (0..<50_000).map { "line \($0)" }
    for line in lines { writer.append(line) }
    writer.publish()
    #expect(peer.lines(lines.count) == lines)
    writer.append("last")
    writer.finish()
    #expect(peer.lines() == ["last"], "to its end")
    let report = output.join(drainSeconds: 60)
    #expect(report.written.entries == lines.count + 2)
    #expect(report.lostEntries == 0)
    #expect(said.all.isEmpty, "\(said.all)")
  }

  @Test(arguments: SocketTests.Family.allCases)
  func itsEndIsNoticedAllTheSame(family: SocketTests.Family) throws {
    let listener = TestListener(address(family))
    let output = try output(listener.address)
    var writer = output.makeWriter()
    let peer = listener.connection()
    peer.endSending()
    writer.append("one")
    writer.publish()
    #expect(peer.lines(1) == ["one"])
    #expect(eventually { output.report.written.entries == 1 })
    peer.reset()
    writer.append("two")
    writer.append("three")
    writer.finish()
    #expect(listener.connection().lines() == ["two", "three"])
    let report = output.join(drainSeconds: 60)
    #expect(report.written.entries + report.unconfirmed.entries == 3)
    #expect(report.unconfirmed.entries <= 1)
  }

  @Test func aPeerThatClosesHasReadAllOfIt() throws {
    let listener = TestListener(address(.ipv4))
    let output = try output(listener.address)
    var writer = output.makeWriter()
    writer.append("one")
    writer.publish()
    let peer = listener.connection()
    #expect(peer.lines(1) == ["one"])
    #expect(eventually { output.report.written.entries == 1 })
    peer.close()
    writer.append("two")
    writer.finish()
    #expect(listener.connection().lines() == ["two"])
    let report = output.join(drainSeconds: 60)
    #expect(report.written.entries == 2)
    #expect(report.unconfirmed == .zero)
  }

  // MARK: Messages

  @Test func aSocketForMessagesGetsALineEach() throws {
    let receiver = TestMessageSocket(directory.file("log"))
    let output = try output(.unix(path: receiver.path))
    var writer = output.makeWriter()
    let lines = (0..<2000).map { "line \($0)" }
    for line in lines { writer.append(line) }
    writer.finish()
    // The receiver takes only some at a time, so the output must wait for the rest.
    #expect(receiver.messages(lines.count) == lines)
    let report = output.join(drainSeconds: 60)
    #expect(report.written.entries == lines.count)
    #expect(report.lostEntries == 0)
    #expect(said.all.isEmpty, "\(said.all)")
  }

  @Test func aLineThatIsTooLongForAMessageIsDroppedAndSaid() throws {
    let receiver = TestMessageSocket(directory.file("log"))
    let output = try output(.unix(path: receiver.path))
    var writer = output.makeWriter()
    let long = String(repeating: "x", count: 4 << 20)
    for line in ["one", long, long, "two"] { writer.append(line) }
    writer.finish()
    #expect(receiver.messages(2) == ["one", "two"])
    let report = output.join(drainSeconds: 60)
    #expect(report.written.entries == 2)
    #expect(report.droppedAsTooLarge == Tally(entries: 2, bytes: 2 * (long.utf8.count + 1)))
    #expect(said.all.count == 1 && said.all.first?.contains("too long for a message") == true, "\(said.all)")
  }

  @Test func aReceiverOfMessagesMayBeReplaced() throws {
    let path = directory.file("log")
    var receiver: TestMessageSocket? = TestMessageSocket(path)
    let output = try output(.unix(path: path))
    var writer = output.makeWriter()
    writer.append("one")
    writer.publish()
    #expect(receiver?.messages(1) == ["one"])
    receiver = nil
    writer.append("two")
    writer.publish()
    #expect(eventually { !said.all.isEmpty })
    let next = TestMessageSocket(path)
    writer.finish()
    #expect(next.messages(1) == ["two"])
    let report = output.join(drainSeconds: 60)
    #expect(report.written.entries + report.unconfirmed.entries == 2)
    #expect(report.lostEntries == report.unconfirmed.entries)
  }

  // MARK: What can't become right

  /// An obstacle at a socket's address, and the error for it.
  enum Obstacle: String, CaseIterable {
    case directory, file, pipe, sequence, belowFile, loop

    var words: String {
      switch self {
      case .directory: "it is a directory, not a socket"
      case .file: "it is a file, not a socket"
      case .pipe: "it is a named pipe, not a socket"
      case .sequence: "Protocol wrong type for socket"
      case .belowFile: "Not a directory; "
      case .loop: "Too many levels of symbolic links; "
      }
    }
  }

  @Test(arguments: Obstacle.allCases)
  func whatIsNoSocketEndsTheOutputAtOnce(obstacle: Obstacle) throws {
    var path = directory.file("thing")
    var socket: TestMessageSocket?
    switch obstacle {
    case .directory: try #require(mkdir(path, 0o755) == 0)
    case .file: close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0o644))
    case .pipe: try #require(mkfifo(path, 0o644) == 0)
    case .sequence: socket = TestMessageSocket(path, type: SOCK_SEQPACKET)
    case .belowFile:
      close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0o644))
      path += "/socket"
    case .loop: try #require(symlink(path, path) == 0)
    }
    let output = try output(.unix(path: path))
    var writer = output.makeWriter()
    writer.append("one")
    writer.finish()
    let report = output.join(drainSeconds: 60)
    let failure = try #require(report.failure)
    #expect(failure.description.hasPrefix("unix:\(path): connect: \(obstacle.words)"), "\(failure)")
    #expect(report.droppedByFailure.entries == 1)
    #expect(said.all.isEmpty, "said by whoever asks for the failure: \(said.all)")
    _ = socket
  }

  @Test(arguments: Framing.allCases)
  func framingHasNoMeaningForMessages(framing: Framing) throws {
    let receiver = TestMessageSocket(directory.file("log"))
    let output = try output(.unix(path: receiver.path), framing: framing)
    output.finish()
    #expect(eventually { output.failure != nil })
    let report = output.join(drainSeconds: 60)
    #expect(report.failure?.description.contains("framing=\(framing.rawValue)") == true)
  }

  @Test func whatMayComeIsWaitedFor() throws {
    // A socket at which no process listens any more, and one that isn't there yet.
    let path = directory.file("left")
    do { _ = TestListener(.unix(path: path)) }
    for path in [path, directory.file("none")] {
      let count = said.all.count
      let output = try output(.unix(path: path))
      #expect(eventually { said.all.count > count })
      #expect(output.failure == nil)
      output.finish()
      _ = output.join(drainSeconds: 0)
    }
    #expect(said.all.allSatisfy { $0.contains("it is tried again until it works") }, "\(said.all)")
  }
}
