import LogReading

/// How fast a log was written in some time.
struct WriteRate {
  /// What the rate was measured by.
  enum Basis: String {
    /// The log was looked at twice.
    case sample
    /// The times in its records.
    case records
    /// How often the ring has begun anew since its worker began.
    case lifetime
  }

  let basis: Basis
  /// How many bytes were written, and in how many seconds.
  let byteCount: Double, seconds: Double
  /// How large the ring is, in bytes; nil if there is none.
  let ringByteCount: Int?

  /// Bytes in a second.
  var bytesPerSecond: Double { byteCount / seconds }

  /// How often the ring begins anew in an hour.
  var turnsPerHour: Double? { ringByteCount.map { bytesPerSecond * 3600 / Double($0) } }

  /// How long the ring lasts, in seconds; nil if nothing was written, or there is no ring.
  var ringSeconds: Double? {
    guard let ringByteCount, byteCount > 0 else { return nil }
    return Double(ringByteCount) / bytesPerSecond
  }

  /// The rates that a log by itself shows.
  static func all(_ facts: CapturedFacts, _ survey: LogSurvey) -> [WriteRate] {
    guard let written = survey.written else { return [] }
    var rates: [WriteRate] = []
    let seconds = (Double(written.upperBound) - Double(written.lowerBound)) / 1e9
    // Less than a second is too short, and a log of which a good part is missing shows no rate.
    if seconds >= 1, survey.givenUp.byteCount <= survey.readByteCount / 10 {
      rates.append(
        WriteRate(
          basis: .records, byteCount: Double(survey.readByteCount), seconds: seconds,
          ringByteCount: facts.ring?.byteCount))
    }
    guard let ring = facts.ring, let turns = ring.turns, let writer = ring.writerOffset,
      let birth = facts.writers.first(where: { $0.role == "worker" })?.birth
    else { return rates }
    let life = Double(written.upperBound) / 1e9 - Double(birth)
    guard life >= 1 else { return rates }
    rates.append(
      WriteRate(
        basis: .lifetime, byteCount: Double(turns) * Double(ring.byteCount) + Double(writer), seconds: life,
        ringByteCount: ring.byteCount))
    return rates
  }
}
