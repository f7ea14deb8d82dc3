import Checkpoints
import Platform
import Spool
import VarnishLog

extension Checkpoint {
  /// The checkpoint as text for people; the parameters are those of `json`.
  func text(path: String, damage: [CheckpointDamage], presentBoot: String?) -> [UInt8] {
    var lines = [Self.line("checkpoint", path)]
    lines += damage.map { Self.line("damage", $0.description) }
    lines.append(Self.line("machine", machineText(presentBoot)))
    lines += reading.lines
    for output in outputs {
      lines += ["", output.name]
      lines += output.lines(reading).map { "  " + $0 }
    }
    return Array((lines.map(VisibleText.oneLine).joined(separator: "\n") + "\n").utf8)
  }

  private func machineText(_ presentBoot: String?) -> String {
    switch isOfBoot(presentBoot) {
    case true?: "not started again since: all that is noted here counts"
    case false?: "started again since: of outputs, only what was on disk counts"
    case nil: "whether it was started again since isn't known, and taken as not"
    }
  }

  /// A line with a name, padded to a column, and a text after it.
  static func line(_ name: String, _ text: String) -> String {
    name + String(repeating: " ", count: max(1, 12 - name.count)) + text
  }

  /// A number with its noun, as in `1 entry` and `2 entries`.
  static func count(_ count: Int, _ one: String, _ several: String) -> String {
    "\(count) \(count == 1 ? one : several)"
  }
}

extension ReadingStanding {
  fileprivate var lines: [String] {
    guard let log = logs.last else { return [Checkpoint.line("log", "none has been read yet")] }
    var text = log.incarnation.text
    if logs.count > 1 { text += ", behind \(Checkpoint.count(logs.count - 1, "other", "others"))" }
    var lines = [Checkpoint.line("log", text), Checkpoint.line("read", "up to \(place(through))")]
    var resumes = "at \(place(resumption))"
    if start < resumption { resumes += ", for what was unfinished there at \(place(start))" }
    lines.append(Checkpoint.line("resumes", resumes))
    lines.append(
      Checkpoint.line(
        "unfinished", Checkpoint.count(unfinished.count, "transaction", "transactions") + " there"))
    var ended = Checkpoint.count(forced.count, "transaction", "transactions") + " ended by force"
    if wallSeconds > 0 { lines.append(Checkpoint.line("noted", UTCTime.text(wallSeconds))) }
    if !behind.isEmpty { lines.append(Checkpoint.line("behind", behind.joined(separator: ", "))) }
    lines += unsaid.map { Checkpoint.line("unsaid", "up to \($0.countMax) entries dropped of \($0.name)") }
    let reasons = ForcedEnd.Reason.allCases.map { ($0, count(of: $0)) }.filter { $0.1 > 0 }
    if !reasons.isEmpty { ended += ": " + reasons.map { "\($0.1) by \($0.0)" }.joined(separator: ", ") }
    return lines + [Checkpoint.line("forced", ended)]
  }

  /// A position within its log; the log is named if it isn't the last one.
  fileprivate func place(_ place: UInt64) -> String {
    guard let log = log(at: place) else { return "the beginning" }
    let text = "byte \(log.position(of: place).place)"
    return log == logs.last ? text : "\(text) of an earlier log, \(log.incarnation.text)"
  }
}

extension LogIncarnation {
  fileprivate var text: String {
    let file = "device \(device), inode \(inode)"
    guard let writer else { return "\(file), a file" }
    return "\(file), of process \(writer.pid)" + (startText.map { ", begun \($0)" } ?? "")
  }
}

extension Checkpoint.Output {
  /// - Parameter reading: the logs to which positions refer.
  fileprivate func lines(_ reading: ReadingStanding) -> [String] {
    var lines = [Checkpoint.line("done", Self.text(standing.done, reading))]
    if let pending = standing.pending {
      let count = Checkpoint.count(max(0, pending.sequence - standing.sequence), "entry", "entries")
      let reach = "\(Self.text(pending.done, reading)); the file has \(pending.byteCount) bytes then"
      lines.append(Checkpoint.line("begun", "a write of \(count), \(reach)"))
    }
    guard let place = standing.place else { return lines }
    lines.append(Checkpoint.line("file", place.text))
    return lines + [Checkpoint.line("on disk", syncedText(reading))]
  }

  private func syncedText(_ reading: ReadingStanding) -> String {
    guard let synced else { return "nothing that is known" }
    if synced.done == standing.done, synced.place == standing.place { return "all of it" }
    return Self.text(synced.done, reading) + (synced.place.map { ": \($0.text)" } ?? "")
  }

  /// The part of the log in front of a mark.
  private static func text(_ mark: EntryMark, _ reading: ReadingStanding) -> String {
    guard mark > .start else { return "nothing" }
    let place = "up to \(reading.place(mark.place))"
    guard mark.ordinal > 0 else { return place }
    return "\(place), and \(Checkpoint.count(Int(mark.ordinal), "entry", "entries")) there"
  }
}

extension OutputPlace {
  fileprivate var text: String {
    "device \(file.device), inode \(file.inode)\(number > 0 ? ", number \(number)" : ""), \(byteCount) bytes"
  }
}
