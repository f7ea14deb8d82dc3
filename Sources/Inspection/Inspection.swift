public import LogReading
import Pipeline
import Platform

/// What a captured log is, to be shown.
public struct Inspection {
  private let facts: CapturedFacts
  private let survey: LogSurvey

  /// Puts together what was found.
  public init(_ facts: CapturedFacts, _ survey: LogSurvey) {
    (self.facts, self.survey) = (facts, survey)
  }

  private var seconds: Double? {
    survey.span.map { Double($0.upperBound - $0.lowerBound) / 1e9 }.flatMap { $0 > 0 ? $0 : nil }
  }

  /// Bytes of records in a second, over the time that the log tells of.
  private var rate: Double? { seconds.map { Double(survey.byteCount) / $0 } }

  /// How long the ring lasts at that rate, in seconds.
  private var ringSeconds: Double? {
    guard let ring = facts.ringByteCount, let rate, rate > 0 else { return nil }
    return Double(ring) / rate
  }

  private static func sorted(_ counts: [String: Int]) -> [(key: String, value: Int)] {
    counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
  }

  /// A number, and what it is the number of.
  private static func row(_ number: Int, _ what: String) -> String {
    let digits = String(number)
    return String(repeating: " ", count: max(0, 10 - digits.count)) + digits + "  " + what
  }

  /// Lines of text.
  public var text: [UInt8] {
    var lines = ["log: \(facts.path)", "form: \(facts.form)", "generation: \(survey.releases)"]
    lines += facts.writers.map {
      "\($0.role): process \($0.pid), since \(UTCTime.text($0.birth)), \($0.lives ? "may run" : "doesn't run")"
    }
    if let ring = facts.ringByteCount {
      lines.append("ring: \(ring) bytes, \(survey.byteCount) of them records")
    }
    if let span = survey.span {
      lines.append(
        "time: \(UTCTime.text(span.lowerBound / 1_000_000_000)) to \(UTCTime.text(span.upperBound / 1_000_000_000))"
      )
    }
    if let rate { lines.append("rate: \(Int(rate.rounded())) bytes/s") }
    if let ringSeconds { lines.append("the ring lasts: \(Int(ringSeconds.rounded()))s at that rate") }
    lines.append("records: \(survey.records), \(survey.byteCount) bytes")
    if let summary = survey.givenUp.summary(of: "given up") { lines.append(summary) }
    func list(_ title: String, _ counts: [String: Int]) {
      guard !counts.isEmpty else { return }
      lines.append("\(title):")
      lines += Self.sorted(counts).map { Self.row($0.value, $0.key) }
    }
    list("transactions", survey.transactions)
    list("tags", survey.tags)
    list("cut at \(LogSurvey.recordByteCountUsual) bytes, so that a larger vsl_reclen is needed", survey.cut)
    if !facts.sections.isEmpty { lines.append("sections:") }
    lines += facts.sections.map { Self.row($0.byteCount, "\($0.kind) \($0.name)") }
    return Array((lines.map { VisibleText.oneLine($0) }.joined(separator: "\n") + "\n").utf8)
  }

  /// One JSON document.
  public var json: [UInt8] {
    func counts(_ counts: [String: Int]) -> JSONText {
      .object(Self.sorted(counts).map { ($0.key, .whole($0.value)) })
    }
    let span = survey.span
    let document = JSONText.object([
      ("log", .text(facts.path)), ("form", .text(facts.form)), ("generation", .text(survey.releases)),
      (
        "writers",
        .array(
          facts.writers.map {
            .object([
              ("role", .text($0.role)), ("pid", .whole(Int($0.pid))), ("since", .whole(Int($0.birth))),
              ("may_run", .flag($0.lives)),
            ])
          })
      ),
      ("ring_bytes", .whole(facts.ringByteCount)),
      ("first", .number(span.map { Double($0.lowerBound) / 1e9 })),
      ("last", .number(span.map { Double($0.upperBound) / 1e9 })),
      ("bytes_per_second", .number(rate)), ("ring_seconds", .number(ringSeconds)),
      ("records", .whole(survey.records)), ("record_bytes", .whole(survey.byteCount)),
      ("given_up_bytes", .whole(survey.givenUp.byteCount)),
      ("transactions", counts(survey.transactions)), ("tags", counts(survey.tags)),
      ("cut", counts(survey.cut)),
      (
        "sections",
        .array(
          facts.sections.map {
            .object([("class", .text($0.kind)), ("ident", .text($0.name)), ("bytes", .whole($0.byteCount))])
          })
      ),
    ])
    return document.bytes + [0x0A]
  }
}
