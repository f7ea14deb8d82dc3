import LogReading
import Platform

extension Inspection {
  /// The inspection as lines of text.
  public var text: [UInt8] {
    var lines = ["log: \(facts.path)"]
    lines.append("form: \(facts.form)" + (facts.layout.map { ", \($0)" } ?? ""))
    if let releases { lines.append("generation: \(releases)") }
    lines += facts.writers.map(writerLine)
    if let age = facts.age { lines.append("age: \(Self.duration(Double(age))), as its manager counts") }
    lines += spanLines + ringLines + rates.map(rateLine)
    lines.append("records: \(survey.records), \(survey.byteCount) bytes")
    if let summary = survey.givenUp.summary(of: "given up") { lines.append(summary) }
    lines += segmentLines
    lines += countLines("transactions", survey.transactions) + countLines("tags", survey.tags)
    lines += cutLines + sectionLines
    return Array((lines.map { VisibleText.oneLine($0) }.joined(separator: "\n") + "\n").utf8)
  }

  private func writerLine(_ writer: CapturedFacts.Writer) -> String {
    var parts = ["process \(writer.pid.map { String($0) } ?? "unknown")"]
    if let birth = writer.birth { parts.append("since \(UTCTime.text(birth))") }
    switch writer.lives {
    case true?: parts.append("may run")
    case false?: parts.append("doesn't run")
    case nil: parts.append("may run or not: nothing tells")
    }
    if let note = writer.note { parts.append(note) }
    return "\(writer.role): " + parts.joined(separator: ", ")
  }

  private var spanLines: [String] {
    guard let span = survey.span else { return [] }
    let (first, last) = (span.lowerBound / 1_000_000_000, span.upperBound / 1_000_000_000)
    let length = Self.duration((Double(span.upperBound) - Double(span.lowerBound)) / 1e9)
    return ["time: \(UTCTime.text(first)) to \(UTCTime.text(last)), \(length)"]
  }

  private var ringLines: [String] {
    guard let ring = facts.ring else { return [] }
    let part =
      ring.byteCount > 0 ? Int((100 * Double(survey.readByteCount) / Double(ring.byteCount)).rounded()) : 0
    var lines = [
      "ring: \(ring.byteCount) bytes, \(survey.readByteCount) of them (\(part)%) could be read as records"
    ]
    var place = ring.writerOffset.map { "at byte \($0) of the ring" } ?? "at an unknown place"
    if let turns = ring.turns { place += ", which has begun anew \(turns) time\(turns == 1 ? "" : "s")" }
    lines.append("writer: \(place)")
    return lines
  }

  private func rateLine(_ rate: WriteRate) -> String {
    let basis =
      switch rate.basis {
      case .sample: "watched for \(Self.duration(rate.seconds))"
      case .records: "over the \(Self.duration(rate.seconds)) of its records"
      case .lifetime: "over the \(Self.duration(rate.seconds)) since its worker began"
      }
    var parts = ["rate: \(Self.whole(rate.bytesPerSecond)) bytes/s"]
    if let turns = rate.turnsPerHour, rate.byteCount > 0 { parts.append("\(Self.decimal(turns)) turns/h") }
    if let seconds = rate.ringSeconds { parts.append("so the ring lasts \(Self.duration(seconds))") }
    return parts.joined(separator: ", ") + "; \(basis)"
  }

  private var segmentLines: [String] {
    guard let ring = facts.ring, let byteCount = ring.segmentByteCount else { return [] }
    return ["segments, of \(byteCount) bytes:"]
      + Self.table(
        ["number", "first byte", "state"], rightAligned: 2,
        ring.segments.map {
          [$0.number.map { String($0) } ?? "-", $0.firstOffset.map { String($0) } ?? "-", $0.state.rawValue]
        })
  }

  private func countLines(_ title: String, _ counts: [String: Int]) -> [String] {
    guard !counts.isEmpty else { return [] }
    return ["\(title):"] + Self.sorted(counts).map { Self.row($0.value, $0.key) }
  }

  private var cutLines: [String] {
    guard !survey.cuts.isEmpty else { return [] }
    let title =
      "records of \(survey.recordByteCountMax) bytes, which may have been cut there by \(lengthParameter):"
    return [title]
      + cuts.map { tag, tally in
        var words = tag
        if let enough = tally.enough {
          words += ": \(lengthParameter)=\(enough) would have held "
          words += tally.unknown == 0 ? "all" : "\(tally.records - tally.unknown) of them"
          words += tally.isExact ? ", no less" : ", or somewhat less"
        } else {
          words +=
            ": a \(lengthParameter) of more than that would have been needed; how much more isn't known"
        }
        return Self.row(tally.records, words)
      }
  }

  private var sectionLines: [String] {
    var lines: [String] = []
    if !facts.sections.isEmpty {
      lines.append("sections:")
      lines += Self.table(
        ["bytes", "offset", "state", "owner", "class", "type", "ident", "file"], rightAligned: 2,
        facts.sections.map {
          [
            String($0.byteCount), String($0.offset), $0.state.rawValue, $0.owner, $0.kind, $0.type, $0.name,
            $0.file,
          ]
        })
    }
    if let problem = facts.sectionProblem { lines.append("sections: \(problem)") }
    return lines
  }
}

// MARK: - Parts of lines

extension Inspection {
  /// A number, and what it is the number of.
  private static func row(_ number: Int, _ what: String) -> String {
    pad(String(number), to: 10, right: true) + "  " + what
  }

  private static func pad(_ text: String, to width: Int, right: Bool = false) -> String {
    let blanks = String(repeating: " ", count: max(0, width - text.unicodeScalars.count))
    return right ? blanks + text : text + blanks
  }

  /// Lines of columns, of which the first ones are numbers; columns without anything are left out.
  private static func table(_ head: [String], rightAligned: Int, _ rows: [[String]]) -> [String] {
    let shown = rows.map { $0.map { VisibleText.oneLine($0) } }
    let columns = head.indices.filter { column in shown.contains { !$0[column].isEmpty } }
    let widths = head.indices.map { column in
      // A name that is very long doesn't push away the columns of all others.
      min(40, ([head] + shown).map { $0[column].unicodeScalars.count }.max() ?? 0)
    }
    return ([head] + shown).map { row in
      let cells = columns.map {
        pad(row[$0].isEmpty ? "-" : row[$0], to: widths[$0], right: $0 < rightAligned)
      }
      var line = "  " + cells.joined(separator: "  ")
      while line.last == " " { line.removeLast() }
      return line
    }
  }

  /// A number without digits behind the point; damaged heads give numbers that no integer has room for.
  private static func whole(_ number: Double) -> String {
    number.isFinite && number < 1e15 ? String(Int(number.rounded())) : "very many"
  }

  /// A number with as many digits behind the point as say something.
  private static func decimal(_ number: Double) -> String {
    guard number < 100 else { return whole(number) }
    let hundredths = Int((number * 100).rounded())
    guard hundredths > 0 else { return "0.00" }
    let rest = hundredths % 100
    return "\(hundredths / 100).\(rest < 10 ? "0" : "")\(rest)"
  }

  /// A length of time.
  private static func duration(_ seconds: Double) -> String {
    guard seconds.isFinite, seconds < 1e13 else { return "ages" }
    if seconds < 100 { return "\(Double(Int((seconds * 10).rounded())) / 10)s" }
    let whole = Int(seconds.rounded())
    if whole < 3600 { return "\(whole / 60)m \(whole % 60)s" }
    if whole < 48 * 3600 { return "\(whole / 3600)h \(whole % 3600 / 60)m" }
    return "\(whole / 86400)d \(whole % 86400 / 3600)h"
  }
}
