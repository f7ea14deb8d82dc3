import Glibc
import Platform
import TestSupport
import Testing

/// Each test plays a run: it sets a clock, and the state of the run's parts at each moment.
@Suite struct WatchdogTests {
  private static let second: Int64 = 1_000_000_000

  /// A watchdog that wants a sign of life every 10 seconds, so that one is due after 5.
  private struct Day {
    var watchdog = Watchdog(watchdogNanoseconds: 10 * second, at: 0)
    var records: UInt64 = 0, settled: UInt64 = 0
    var isIdle = false, isHeldBack = false, isSpoolEmpty = false, isInSink = false
    var processor: Int64?

    mutating func look(at seconds: Double) -> Watchdog.Verdict {
      watchdog.look(
        at: Int64(seconds * 1e9),
        [
          .reader(recordsRead: records, isIdle: isIdle, isHeldBack: isHeldBack),
          .output(
            "a.log", entriesSettled: settled, isSpoolEmpty: isSpoolEmpty, isInSink: isInSink,
            processorNanoseconds: processor),
        ])
    }

    /// Whether a service manager that gets only the signs of life from these looks would let the run live
    /// until `end`.
    mutating func survives(looksUntil end: Double, _ step: (inout Day) -> Void) -> Bool {
      var lastFeed = 0.0
      var time = 0.0
      while time < end {
        time += 0.5
        step(&self)
        if look(at: time) == .feed { lastFeed = time }
        if time - lastFeed >= 10 { return false }
      }
      return true
    }
  }

  @Test func `a busy run is alive, and says so no more often than it must`() {
    var day = Day()
    var feeds: [Double] = []
    for tick in 1...60 {
      day.records += 1000
      day.settled += 10
      if day.look(at: Double(tick) / 2) == .feed { feeds.append(Double(tick) / 2) }
    }
    #expect(feeds == [5, 10, 15, 20, 25, 30])
  }

  @Test func `a quiet log is no fault`() {
    var day = Day(isIdle: true, isSpoolEmpty: true)
    #expect(day.survives(looksUntil: 1000) { _ in })
  }

  @Test func `a reader that leaves bytes in the log starves it`() {
    var day = Day(isSpoolEmpty: true)
    #expect(day.look(at: 5) == .feed)
    #expect(day.look(at: 9) == .notYet)
    #expect(day.look(at: 10) == .starve(["the reader"]))
    #expect(day.look(at: 12) == .starve(["the reader"]))
    #expect(day.watchdog.nextLook == 10 * Self.second)
  }

  @Test func `a reader that goes on before it is too late is forgiven`() {
    var day = Day(isSpoolEmpty: true)
    #expect(day.look(at: 5) == .feed)
    #expect(day.look(at: 10) == .starve(["the reader"]))
    day.records += 1
    #expect(day.look(at: 10.5) == .feed)
  }

  @Test func `a reader that is held back by a full spool is no fault`() {
    var day = Day(isHeldBack: true, isInSink: true)
    #expect(day.survives(looksUntil: 1000) { _ in })
  }

  @Test func `a consumer that doesn't read is no fault, however long, and however full the spool is`() {
    var day = Day(isInSink: true)
    #expect(day.survives(looksUntil: 10_000) { $0.records += 1000 })
  }

  @Test func `an output's thread that hangs outside of its sink starves it`() {
    var day = Day()
    day.records = 1
    #expect(day.look(at: 5) == .feed)
    day.records = 2
    #expect(day.look(at: 10) == .starve(["output a.log"]))
    day.settled = 1
    #expect(day.look(at: 11) == .feed)
  }

  @Test func `an endless loop within a sink isn't taken for a slow consumer`() {
    var day = Day(isIdle: true, isInSink: true, processor: 0)
    #expect(!day.survives(looksUntil: 100) { $0.processor? += Self.second / 2 })
    // An output that computes much and makes progress is well.
    day = Day(isIdle: true, isInSink: true, processor: 0)
    #expect(
      day.survives(looksUntil: 1000) {
        $0.processor? += Self.second / 2
        $0.settled += 1
      })
    // So is an output that has computed for a while and has waited since then.
    day = Day(isIdle: true, isInSink: true, processor: 0)
    #expect(
      day.survives(looksUntil: 1000) {
        if ($0.processor ?? 0) < 4 * Self.second { $0.processor? += Self.second / 2 }
      })
  }

  @Test func `each output is looked at by itself, whatever others do`() {
    var watchdog = Watchdog(watchdogNanoseconds: 10, at: 0)
    func output(_ name: String, _ settled: UInt64) -> Watchdog.Part {
      .output(name, entriesSettled: settled, isSpoolEmpty: false, isInSink: false)
    }
    #expect(watchdog.look(at: 5, [output("a", 0), output("b", 0)]) == .feed)
    #expect(watchdog.look(at: 10, [output("a", 7), output("b", 0)]) == .starve(["output b"]))
    // An output removed by a reload is no longer watched; a new one has had no time for progress.
    #expect(watchdog.look(at: 11, [output("a", 8), output("c", 0)]) == .feed)
    #expect(watchdog.look(at: 16, [output("a", 9), output("c", 0)]) == .starve(["output c"]))
  }

  @Test func `a short moment of rest is enough`() {
    var day = Day()
    #expect(day.look(at: 5) == .feed)
    day.isSpoolEmpty = true
    day.isIdle = true
    #expect(day.look(at: 6) == .notYet)
    day.isSpoolEmpty = false
    day.isIdle = false
    #expect(day.look(at: 10) == .feed)
    #expect(day.look(at: 15) == .starve(["the reader", "output a.log"]))
  }

  @Test func `a thread's processor time is seen by others, as long as it lives`() throws {
    let (started, stop) = (WakeSignal(), WakeSignal())
    let clocks = Guarded<ThreadClock?>(nil)
    detachThread {
      clocks.withLock { $0 = .ofCallingThread }
      // The sum is used, so that the compiler can't remove the loop.
      var sum = UInt64(getpid())
      while (clocks.withLock { $0?.nanoseconds } ?? .max) < Self.second / 50 { sum = sum &* 31 &+ 1 }
      if sum == 0 { print(sum) }
      started.signal()
      stop.wait(nanoseconds: nil)
    }
    started.wait(nanoseconds: nil)
    let clock = try #require(clocks.withLock { $0 })
    let time = try #require(clock.nanoseconds)
    #expect(time >= Self.second / 50)
    stop.signal()
    #expect(try poll(until: .after(.seconds(60))) { clock.nanoseconds == nil })
  }

  @Test func `the shortest watchdog doesn't trap`() {
    var watchdog = Watchdog(watchdogNanoseconds: 1, at: .max / 2)
    #expect(watchdog.look(at: .max / 2 + 1, []) == .feed)
  }
}
