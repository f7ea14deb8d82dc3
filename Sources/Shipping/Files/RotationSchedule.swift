/// Periods of equal length on the local clock: hours begin at full hours, days at midnight and
/// weeks on Mondays, for any offset from UTC, and even if it changes.
struct RotationSchedule: Sendable {
  let periodSeconds: Int64
  let secondsAheadOfUTC: @Sendable (Int64) -> Int64

  init(
    periodSeconds: Int,
    secondsAheadOfUTC: @escaping @Sendable (Int64) -> Int64 = LocalTime.secondsAheadOfUTC
  ) {
    precondition(periodSeconds > 0, "a period has a length")
    self.periodSeconds = Int64(periodSeconds)
    self.secondsAheadOfUTC = secondsAheadOfUTC
  }

  /// The number of the period that a moment lies in.
  func period(at wallSeconds: Int64) -> Int64 {
    Self.floorDivide(wallSeconds + phase(at: wallSeconds), periodSeconds)
  }

  /// When to call again: when the next period begins, or earlier if the offset from UTC is about to change.
  func nextLook(after wallSeconds: Int64) -> Int64 {
    let boundary = (period(at: wallSeconds) + 1) * periodSeconds
    let expected = boundary - phase(at: wallSeconds)
    let corrected = boundary - phase(at: expected)
    return corrected > wallSeconds ? min(expected, corrected) : expected
  }

  /// How far local periods are ahead of periods counted from 1970 in UTC.
  ///
  /// Less than a period, so that an hour repeated at the end of summer time is one like any other.
  private func phase(at wallSeconds: Int64) -> Int64 {
    let ahead = secondsAheadOfUTC(wallSeconds) + shift
    return ahead - Self.floorDivide(ahead, periodSeconds) * periodSeconds
  }

  /// Day 0 of the clock was a Thursday: whole weeks are moved so that they begin on Mondays.
  private var shift: Int64 { periodSeconds % 604_800 == 0 ? 3 * 86_400 : 0 }

  private static func floorDivide(_ value: Int64, _ divisor: Int64) -> Int64 {
    let quotient = value / divisor
    return value % divisor < 0 ? quotient - 1 : quotient
  }
}
