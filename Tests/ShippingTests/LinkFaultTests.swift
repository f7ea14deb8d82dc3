@testable import Spool
import Glibc
@testable import Platform
@testable import Shipping
import Testing

/// Serves a consumer again and again, with the 1st, 2nd, 3rd … system call of a kind failing, until a run passes
/// untouched; whichever call fails, all lines arrive, whole, and the numbers are exact.
@Suite struct LinkFaultTests {
  enum Consumer: String, CaseIterable, CustomTestStringConvertible {
    case command, socket, fifo
    var testDescription: String { rawValue }

    var calls: [SystemCalls.Call] {
      switch self {
      case .command: [.pipe, .spawn, .waitid, .ioctl, .write, .close]
      case .socket: [.socket, .connect, .send, .recv, .ioctl, .shutdown, .close]
      case .fifo: [.open, .fstat, .ioctl, .write, .close]
      }
    }
  }

  private static let lines = (0..<2000).map { "line \($0) \(String(repeating: "x", count: $0 % 70))" }

  /// - Returns: whether the fault has happened.
  private func run(
    _ consumer: Consumer, _ call: SystemCalls.Call, _ fault: SystemCalls.Fault, at target: Int
  ) throws -> Bool {
    let directory = TemporaryDirectory()
    let faults = FaultPlan { made, count in made == call && count == target ? fault : nil }
    let said = Collected<String>()
    let output: Output
    var reader: TestThread<[String]>?
    var stop: () -> Void = {}
    switch consumer {
    case .command:
      let command = "cat >> '\(directory.file("got"))'"
      output = try Output(to: ChildLink(command: command, system: faults.system), said: said)
    case .socket:
      let listener = TestListener(.unix(path: directory.file("socket")))
      output = try Output(to: SocketLink(address: listener.address, system: faults.system), said: said)
      reader = TestThread { listener.linesUntilStopped() }
      stop = listener.stop
    case .fifo:
      let path = directory.file("fifo")
      try #require(mkfifo(path, 0o600) == 0)
      output = try Output(to: FIFOLink(path: path, system: faults.system), said: said)
      let (asked, done) = (Collected<Bool>(), Collected<Bool>())
      reader = TestThread {
        var lines: [String] = []
        while asked.all.isEmpty { lines += splitLines(Array(directory.text("fifo").utf8)) }
        done.append(true)
        return lines
      }
      stop = {
        asked.append(true)
        // The reader may be waiting for a writer to open the pipe.
        _ = eventually {
          close(open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC))
          return !done.all.isEmpty
        }
      }
    }
    var writer = output.makeWriter()
    for line in Self.lines { writer.append(line) }
    writer.finish()
    let report = output.join(drainSeconds: 60)
    stop()
    let got = reader?.join() ?? splitLines(Array(directory.text("got").utf8))
    let context: Comment = "\(consumer) \(call.rawValue) \(target) \(fault): \(said.all)"
    #expect(report.written.entries == Self.lines.count, context)
    #expect(report.lostEntries == 0, context)
    #expect(report.failure == nil, context)
    var known = Set<String>()
    #expect(got.filter { known.insert($0).inserted } == Self.lines, context)
    // Without these calls it isn't known what has arrived, so lines are sent again.
    let repeats = [.ioctl, .recv].contains(call) || (consumer == .fifo && call == .write)
    if !repeats { #expect(got == Self.lines, context) }
    return faults.count(of: call) >= target
  }

  @Test(arguments: Consumer.allCases)
  func whateverFailsAllLinesArrive(consumer: Consumer) throws {
    for call in consumer.calls {
      var faults: [SystemCalls.Fault] = [.fail(EINTR), .fail(EIO)]
      if call == .write || call == .send { faults.append(.short(5)) }
      for fault in faults {
        // The number of calls that depend on the clock is unlimited.
        for target in 1...6 where try !run(consumer, call, fault, at: target) { break }
      }
    }
  }
}
