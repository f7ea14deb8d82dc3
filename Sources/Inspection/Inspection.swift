public import LogReading

/// The facts about a log that are shown to the user.
public struct Inspection {
  let facts: CapturedFacts
  let survey: LogSurvey
  /// How fast the log was written, by each basis that tells.
  let rates: [WriteRate]

  /// Puts together what was found.
  ///
  /// - Parameter sample: what two looks at a live log have shown; nil if there were none.
  public init(_ facts: CapturedFacts, _ survey: LogSurvey, sample: LiveSample? = nil) {
    (self.facts, self.survey) = (facts, survey)
    let sampled = sample.map {
      WriteRate(
        basis: .sample, byteCount: Double($0.byteCount), seconds: $0.seconds,
        ringByteCount: facts.ring?.byteCount)
    }
    rates = (sampled.map { [$0] } ?? []) + WriteRate.all(facts, survey)
  }

  /// The releases that write such a log.
  var releases: String? { facts.releases ?? survey.releases }

  /// The server's parameter that says where records are cut.
  var lengthParameter: String { survey.isOld ? "shm_reclen" : "vsl_reclen" }

  /// Counts in descending order.
  static func sorted(_ counts: [String: Int]) -> [(key: String, value: Int)] {
    counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
  }

  /// The records that may have been cut, by tag, in descending order of their number.
  var cuts: [(tag: String, tally: CutSurvey.Tally)] {
    survey.cuts.sorted { ($1.value.records, $0.key) < ($0.value.records, $1.key) }
      .map { (tag: $0.key, tally: $0.value) }
  }
}
