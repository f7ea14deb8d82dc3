import LogReading
import Platform

extension Inspection {
  /// The inspection as one JSON document.
  public var json: [UInt8] {
    let span = survey.span
    let document = JSONText.object([
      ("log", .text(facts.path)), ("form", .text(facts.form)), ("layout", text(facts.layout)),
      ("generation", text(releases)), ("writers", .array(facts.writers.map(writer))),
      ("age_seconds", facts.age.map { .natural($0) } ?? .null),
      ("first", .number(span.map { Double($0.lowerBound) / 1e9 })),
      ("last", .number(span.map { Double($0.upperBound) / 1e9 })),
      ("ring", facts.ring.map(ring) ?? .null), ("rates", .array(rates.map(rate))),
      ("records", .whole(survey.records)), ("record_bytes", .whole(survey.byteCount)),
      ("given_up_bytes", .whole(survey.givenUp.byteCount)),
      ("given_up_places", .whole(survey.givenUp.placeCount)),
      ("transactions", counts(survey.transactions)), ("tags", counts(survey.tags)), ("cut", cut),
      ("sections", .array(facts.sections.map(section))), ("sections_problem", text(facts.sectionProblem)),
      ("problem", text(survey.fault?.description)),
    ])
    return document.bytes + [0x0A]
  }

  private func text(_ text: String?) -> JSONText { text.map { .text($0) } ?? .null }

  private func counts(_ counts: [String: Int]) -> JSONText {
    .object(Self.sorted(counts).map { ($0.key, .whole($0.value)) })
  }

  private func writer(_ writer: CapturedFacts.Writer) -> JSONText {
    .object([
      ("role", .text(writer.role)), ("pid", .whole(writer.pid.map { Int($0) })),
      ("since", .whole(writer.birth.map { Int($0) })),
      ("may_run", writer.lives.map { .flag($0) } ?? .null), ("note", text(writer.note)),
    ])
  }

  private func ring(_ ring: RingFacts) -> JSONText {
    .object([
      ("bytes", .whole(ring.byteCount)), ("read_bytes", .whole(survey.readByteCount)),
      ("writer_byte", .whole(ring.writerOffset)), ("turns", ring.turns.map { .natural($0) } ?? .null),
      ("segment_bytes", .whole(ring.segmentByteCount)),
      (
        "segments",
        .array(
          ring.segments.map {
            .object([
              ("number", $0.number.map { .natural($0) } ?? .null), ("first_byte", .whole($0.firstOffset)),
              ("state", .text($0.state.rawValue)),
            ])
          })
      ),
    ])
  }

  private func rate(_ rate: WriteRate) -> JSONText {
    .object([
      ("basis", .text(rate.basis.rawValue)), ("seconds", .number(rate.seconds)),
      ("bytes", .number(rate.byteCount)), ("bytes_per_second", .number(rate.bytesPerSecond)),
      ("turns_per_hour", .number(rate.turnsPerHour)), ("ring_seconds", .number(rate.ringSeconds)),
    ])
  }

  private var cut: JSONText {
    .object([
      ("parameter", .text(lengthParameter)), ("limit", .whole(survey.recordByteCountMax)),
      (
        "tags",
        .object(
          cuts.map { tag, tally in
            (
              tag,
              .object([
                ("records", .whole(tally.records)), ("enough", .whole(tally.enough)),
                ("exact", tally.enough == nil ? .null : .flag(tally.isExact)),
                ("unknown", .whole(tally.unknown)),
              ])
            )
          })
      ),
    ])
  }

  private func section(_ section: SharedSection) -> JSONText {
    .object([
      ("owner", .text(section.owner)), ("file", .text(section.file)), ("class", .text(section.kind)),
      ("type", .text(section.type)), ("ident", .text(section.name)), ("offset", .whole(section.offset)),
      ("bytes", .whole(section.byteCount)), ("state", .text(section.state.rawValue)),
    ])
  }
}
