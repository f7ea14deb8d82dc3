import Glibc
import Platform
@testable import Shipping
@testable import Spool
import Testing

/// The activity of an output that a watchdog is shown.
@Suite struct ActivityTests {
  /// The verdicts of a watchdog on an output, over some seconds of a clock of its own.
  private static func verdicts(_ output: Output) -> [Watchdog.Verdict] {
    var watchdog = Watchdog(watchdogNanoseconds: 2_000_000_000, at: 0)
    return (1...4).map { second in
      let activity = output.activity
      return watchdog.look(
        at: Int64(second) * 1_000_000_000,
        [
          .output(
            "o", entriesSettled: activity.done, isSpoolEmpty: !activity.hasWork, isInSink: activity.isOutside)
        ])
    }
  }

  @Test func `one that waits for its consumer is well, and done when that has taken all`() throws {
    let pipe = TestPipe()
    let output = try Output(to: StreamSink(descriptor: pipe.writeEnd, name: "standard output"))
    var writer = output.makeWriter()
    let line = String(repeating: "x", count: 1000)
    for _ in 0..<1000 { writer.append(line) }
    writer.publish()
    // The output is in its sink during the first call as well, when nothing is done yet.
    #expect(eventually { output.activity.isOutside && output.activity.hasWork && output.activity.done > 0 })
    let done = output.activity.done
    #expect(Self.verdicts(output) == [.feed, .feed, .feed, .feed])
    let reader = TestThread { pipe.readLines(1000) }
    #expect(eventually { !output.activity.hasWork })
    #expect(reader.join()?.count == 1000)
    #expect(output.activity.done > done)
    writer.finish()
    _ = output.join(drainSeconds: 10)
    #expect(!output.activity.hasWork)
  }

  @Test func `one that hangs in a call of its sink is outside of the program`() throws {
    let sink = HangingSinkTests.HangingSink(.write)
    let output = try Output(to: sink)
    var writer = output.makeWriter()
    for number in 0..<50 { writer.append("line \(number)") }
    writer.publish()
    sink.isHanging.wait(nanoseconds: nil)
    #expect(output.activity.isOutside && output.activity.hasWork)
    #expect(Self.verdicts(output) == [.feed, .feed, .feed, .feed])
    _ = output.join(drainSeconds: 0.1)
    sink.mayGoOn.signal()
  }
}
