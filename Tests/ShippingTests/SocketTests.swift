@testable import Spool
import Glibc
@testable import Platform
@testable import Shipping
import Testing

/// Stream sockets with real peers.
@Suite struct SocketTests {
  enum Family: String, CaseIterable, CustomTestStringConvertible {
    case unix, ipv4, ipv6
    var testDescription: String { rawValue }
  }

  private let directory = TemporaryDirectory()
  private let said = Collected<String>()

  private func address(_ family: Family) -> SocketAddress {
    switch family {
    case .unix: .unix(path: directory.file("socket"))
    case .ipv4: .tcp(host: "127.0.0.1", port: 0)
    case .ipv6: .tcp(host: "::1", port: 0)
    }
  }

  private func output(
    _ address: SocketAddress, onRestart: RestartPolicy = .resend, header: String = "",
    system: SystemCalls = .real
  ) throws -> Output {
    try Output(
      to: SocketLink(address: address, system: system), onRestart: onRestart, header: header, said: said)
  }

  @Test(arguments: Family.allCases)
  func aPeerGetsEveryLine(family: Family) throws {
    let listener = TestListener(address(family))
    let output = try output(listener.address, header: "# fields\n")
    var writer = output.makeWriter()
    let lines = (0..<100_000).map { "line \($0)" }
    for line in lines { writer.append(line) }
    writer.finish()
    let peer = TestThread { listener.connection().lines() }
    let report = output.join(drainSeconds: 60)
    #expect(peer.join() == ["# fields"] + lines)
    #expect(report.written.entries == lines.count)
    #expect(report.lostEntries == 0)
    #expect(said.all.isEmpty)
  }

  @Test(arguments: Family.allCases)
  func nothingThatAPeerHasReadComesTwiceAfterItHasClosed(family: Family) throws {
    let listener = TestListener(address(family))
    let output = try output(listener.address)
    var writer = output.makeWriter()
    for round in 0..<5 {
      let lines = (0..<10).map { "round \(round) line \($0)" }
      for line in lines { writer.append(line) }
      writer.publish()
      let peer = listener.connection()
      #expect(peer.lines(10) == lines)
      // From then on nothing is in transit: to a peer that closes earlier, the same lines may be sent again.
      #expect(eventually { output.report.written.entries == (round + 1) * 10 })
      peer.close()
    }
    writer.finish()
    let report = output.join(drainSeconds: 60)
    #expect(report.written.entries == 50)
    #expect(report.lostEntries == 0)
    #expect(said.all.count { $0.contains("closed") } == 1, "\(said.all)")
    // Over the network, only a line that isn't accepted shows that the peer has closed more than its sending
    // side. A Unix-domain socket shows the end by itself, but new lines may come first.
    let resent = /: the peer has closed the connection, \d+ lines? (is|are) sent again; it is tried again/
    let first = try #require(said.all.first)
    let isSilent = first.contains(": the peer has closed the connection; it is tried again")
    #expect(first.contains(resent) || (family == .unix && isSilent), "\(first)")
  }

  @Test(arguments: Family.allCases)
  func aPeerThatBreaksOffInTheMiddleGetsItAllAgain(family: Family) throws {
    let listener = TestListener(address(family))
    let output = try output(listener.address)
    var writer = output.makeWriter()
    let lines = (0..<100_000).map { "line \($0)" }
    for line in lines { writer.append(line) }
    writer.finish()
    let peers = TestThread { () -> [[String]] in
      let first = listener.connection()
      let beginning = first.lines(1234)
      first.reset()
      return [beginning, listener.connection().lines()]
    }
    let report = output.join(drainSeconds: 60)
    let got = try #require(peers.join())
    #expect(got[0] == Array(lines.prefix(1234)))
    #expect(got[1] == Array(lines.suffix(got[1].count)), "whole lines in order")
    let missing = lines.count - 1234 - got[1].count
    // A peer's kernel may have accepted what the peer never read; this can't happen with a Unix-domain
    // socket.
    if family == .unix { #expect(missing <= 0) }
    #expect(report.unconfirmed.entries >= missing, "what is gone is not said to be written")
    #expect(report.written.entries + report.unconfirmed.entries == lines.count)
    #expect(report.written.entries <= 1234 + got[1].count)
    #expect(said.all.first?.contains("lines are sent again") == true, "\(said.all)")
  }

  @Test(arguments: [Family.ipv4, .ipv6])
  func aResetThatSendingMeetsFirstIsNoEndOfOneThatHasReadEverything(family: Family) throws {
    let listener = TestListener(address(family))
    let link = SocketLink(address: listener.address, system: .real)
    defer { link.release() }
    _ = link.begin(at: .now())
    try #require(eventually { if case .open = link.condition(at: .now()) { true } else { false } })
    let line = Array("line\n".utf8)[...]
    let peer = listener.connection()
    #expect(link.send(line, at: .now()) == .sent(line.count))
    #expect(peer.lines(1) == ["line"])
    #expect(link.send(line, at: .now()) == .sent(line.count))
    peer.reset()
    // No other thread looks at the connection.
    #expect(eventually { link.send(line, at: .now()) == .broken })
    guard case .ended(let end) = link.condition(at: .now()) else {
      Issue.record("it has ended")
      return
    }
    #expect(end.isAbrupt, "\(end.reason)")
  }

  @Test func whatAPeerLeavesIsCountedIfSoWished() throws {
    let listener = TestListener(address(.unix))
    let output = try output(listener.address, onRestart: .drop)
    var writer = output.makeWriter()
    let lines = (0..<100_000).map { "line \($0)" }
    for line in lines { writer.append(line) }
    writer.finish()
    let peers = TestThread { () -> [String] in
      let first = listener.connection()
      _ = first.lines(1234)
      first.reset()
      return listener.connection().lines()
    }
    let report = output.join(drainSeconds: 60)
    let got = try #require(peers.join())
    #expect(got == Array(lines.suffix(got.count)), "none twice, whole lines in order")
    #expect(report.droppedByFailure.entries > 0)
    #expect(report.written.entries + report.droppedByFailure.entries == lines.count)
    #expect(report.written.entries >= got.count)
  }

  @Test(arguments: Family.allCases)
  func whereNobodyListensIsTriedUntilSomebodyDoes(family: Family) throws {
    // A path that doesn't exist, or a port that is bound but not listening.
    var listener = family == .unix ? nil : TestListener(address(family), isListening: false)
    let address = listener?.address ?? address(family)
    let output = try output(address)
    var writer = output.makeWriter()
    let lines = (0..<1000).map { "line \($0)" }
    for line in lines { writer.append(line) }
    writer.finish()
    #expect(eventually { !said.all.isEmpty })
    let reason = family == .unix ? "No such file or directory" : "Connection refused"
    #expect(said.all.count == 1)
    #expect(said.all.first?.hasPrefix("\(address): connect: \(reason); it is tried again") == true)
    if let listener { listener.startListening() } else { listener = TestListener(address) }
    #expect(listener?.connection().lines() == lines)
    let report = output.join(drainSeconds: 60)
    #expect(report.written.entries == lines.count)
    #expect(said.all.count == 2 && said.all.last?.contains("works again") == true, "\(said.all)")
  }

  @Test(arguments: Family.allCases)
  func aPeerThatIsStuckIsLeftInTime(family: Family) throws {
    let listener = TestListener(address(family))
    let output = try output(listener.address)
    var writer = output.makeWriter()
    for index in 0..<1_000_000 { writer.append("line \(index)") }
    writer.finish()
    let peer = listener.connection()
    #expect(peer.lines(10).count == 10)
    let start = Moment.now().steadyNanoseconds
    let report = output.join(drainSeconds: 0.2)
    #expect(Moment.now().steadyNanoseconds - start < 3_000_000_000)
    #expect(report.undelivered.entries > 100_000)
    #expect(report.written + report.undelivered == output.usage.committed)
    #expect(report.failure == nil)
  }

  @Test func everyPeerGetsTheHeaderAndWhatTheySayIsIgnored() throws {
    let listener = TestListener(address(.unix))
    let output = try output(listener.address, header: "# fields\n")
    var writer = output.makeWriter()
    for name in ["one", "two"] {
      let peer = listener.connection()
      peer.send("welcome\n")
      writer.append(name)
      writer.publish()
      #expect(peer.lines(2) == ["# fields", name])
      #expect(eventually { output.report.undelivered == .zero })
      peer.close()
    }
    writer.finish()
    #expect(output.join(drainSeconds: 60).written.entries == 2)
  }

  @Test func aHostThatHasNoAddressIsSaid() throws {
    // Too long for a host name, so that no name server has to be asked.
    let host = String(repeating: "x", count: 300)
    let output = try output(.tcp(host: host, port: 1))
    #expect(eventually { !said.all.isEmpty })
    #expect(said.all.first?.hasPrefix("tcp:\(host):1: look up: ") == true)
    output.finish()
    #expect(output.join(drainSeconds: 0).failure == nil)
  }
}
