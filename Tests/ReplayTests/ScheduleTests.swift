import Replay
import Testing

/// The times at which replayed records are due.
struct ScheduleTests {
  private static let second: Int64 = 1_000_000_000
  private static let recorded: Int64 = 1_700_000_000 * second

  @Test func `times between records stay what they were, or are divided`() {
    for (speed, factor) in [(1.0, 1), (10, 10), (0.5, 0)] {
      var schedule = Schedule(.recorded(speed: speed), start: 0)
      #expect(schedule.due(recorded: Self.recorded, endsTransaction: true, now: 100) == 100)
      let due = schedule.due(recorded: Self.recorded + Self.second, endsTransaction: true, now: 500)
      #expect(due == 100 + (factor == 0 ? 2 * Self.second : Self.second / Int64(factor)))
      // A record that is earlier than its predecessor is due at once, and later ones are due as before.
      #expect(schedule.due(recorded: Self.recorded - Self.second, endsTransaction: true, now: due) < due)
      #expect(schedule.due(recorded: nil, endsTransaction: true, now: due) == due)
      #expect(schedule.due(recorded: Self.recorded + Self.second, endsTransaction: true, now: due) == due)
    }
  }

  @Test func `a clock that was set, another capture and another pass begin anew`() {
    var schedule = Schedule(.recorded(speed: 1), start: 0)
    _ = schedule.due(recorded: Self.recorded, endsTransaction: true, now: 0)
    for jump in [86_400, -86_400, 365 * 86_400] {
      let time = Self.recorded + Int64(jump) * Self.second
      #expect(schedule.due(recorded: time, endsTransaction: true, now: 7) == 7)
      #expect(schedule.due(recorded: time + 5, endsTransaction: true, now: 7) == 12)
    }
    schedule.beginPass()
    #expect(schedule.due(recorded: Self.recorded, endsTransaction: true, now: 20) == 20)
  }

  @Test func `a rate is kept over all, whatever was late`() {
    var schedule = Schedule(.rate(1000), start: 50)
    var now: Int64 = 50
    for number in 0..<5000 {
      let due = schedule.due(recorded: nil, endsTransaction: true, now: now)
      #expect(due == 50 + Int64(number) * 1_000_000)
      // Records that don't end a transaction aren't counted.
      #expect(schedule.due(recorded: nil, endsTransaction: false, now: now) == now)
      now += number % 7 == 0 ? 10_000_000 : 0
    }
  }

  @Test func `extremes overflow nothing`() {
    var schedule = Schedule(.rate(1e-6), start: 0)
    for _ in 0..<100_000 { _ = schedule.due(recorded: nil, endsTransaction: true, now: 0) }
    var slow = Schedule(.recorded(speed: 1e-6), start: 0)
    _ = slow.due(recorded: Self.recorded, endsTransaction: true, now: 0)
    #expect(slow.due(recorded: Self.recorded + 3599 * Self.second, endsTransaction: true, now: 0) > 0)
  }
}
