@testable import Platform
@testable import Shipping
import Testing

@Suite struct RotationScheduleTests {
  /// An hour ahead of UTC in winter, two from 2026-03-29 01:00 to 2026-10-25 01:00 UTC.
  private static let summerBegins: Int64 = 1_774_746_000
  private static let summerEnds: Int64 = 1_792_890_000
  private static let centralEurope: @Sendable (Int64) -> Int64 = {
    (summerBegins..<summerEnds).contains($0) ? 7200 : 3600
  }

  /// The local times of day at which periods begin within a span, found by walking through it.
  private func beginnings(
    every seconds: Int, from start: Int64, to end: Int64
  ) -> [Int64] {
    let schedule = RotationSchedule(
      periodSeconds: seconds, secondsAheadOfUTC: Self.centralEurope)
    var found: [Int64] = []
    var now = start
    var looks = 0
    while true {
      let next = schedule.nextLook(after: now)
      looks += 1
      guard next < end, looks < 10_000 else { break }
      if schedule.period(at: next) != schedule.period(at: now) {
        // The period must begin exactly here, or this look came too late.
        #expect(schedule.period(at: next - 1) == schedule.period(at: now))
        found.append(next)
      }
      now = next
    }
    #expect(looks <= 2 * found.count + 4, "no more looks than needed")
    return found
  }

  @Test func daysBeginAtLocalMidnightThroughBothChangesOfTheClock() {
    for change in [Self.summerBegins, Self.summerEnds] {
      let days = beginnings(every: 86_400, from: change - 3 * 86_400, to: change + 3 * 86_400)
      #expect(days.count == 6)
      for day in days { #expect((day + Self.centralEurope(day)) % 86_400 == 0) }
    }
  }

  @Test(arguments: [900, 3600])
  func shortPeriodsBeginAtTheirFullTimes(seconds: Int) {
    for change in [Self.summerBegins, Self.summerEnds] {
      let found = beginnings(every: seconds, from: change - 7200 - 1, to: change + 7200)
      #expect(found == (0..<(14_400 / seconds)).map { change - 7200 + Int64($0 * seconds) })
    }
  }

  @Test func weeksBeginOnMondays() {
    let weeks = beginnings(
      every: 604_800, from: Moment.test.wallSeconds, to: Moment.test.wallSeconds + 3 * 604_800)
    // 2026-11-23 00:00 local, a Monday.
    #expect(weeks.first == 1_795_388_400)
    #expect(weeks.count == 3)
  }

  @Test func timesBefore1970HavePeriodsToo() {
    let schedule = RotationSchedule(periodSeconds: 3600, secondsAheadOfUTC: { _ in 0 })
    #expect(schedule.period(at: -1) == -1)
    #expect(schedule.period(at: 0) == 0)
  }
}
