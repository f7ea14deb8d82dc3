import Glibc
import Platform
import Spool

extension RunStatus {
  /// The status as a table for people.
  func table(at now: Moment) -> [UInt8] {
    let uptime = Self.span((now.steadyNanoseconds - start.steadyNanoseconds) / 1_000_000_000)
    var lines = ["spillway \(version), process \(getpid()), up \(uptime)", "log      \(logText)"]
    if let sandbox { lines.append("sandbox  \(sandbox)") }
    var rows = [["OUTPUT", "STATE", "LINES/S", "WAITING", "MEMORY", "DISK", "LAST LINE"]]
    rows += outputs.map(\.row)
    lines.append("")
    let aligned = Self.aligned(rows)
    lines.append(aligned[0])
    for (output, row) in zip(outputs, aligned.dropFirst()) {
      lines.append(row)
      lines += output.accountLines.map { "  " + $0 }
    }
    if ended.count > 0 {
      lines.append("\(ended.count) outputs that reloads have ended")
      lines.append("  " + ended.account.description)
    }
    return Array((lines.map(VisibleText.oneLine).joined(separator: "\n") + "\n").utf8)
  }

  private var logText: String {
    var text = "\(log.path): \(log.state.rawValue), \(ByteText.short(readBytes)) read"
    if lostBytes > 0 { text += ", \(ByteText.short(lostBytes)) lost" }
    guard let ring = log.ring else { return text }
    text += ", \(ByteText.short(ring.lagBytes)) behind"
    if let lagSeconds, lagSeconds > 0 { text += " (\(Self.tenths(lagSeconds)) s)" }
    text += "; a ring of \(ByteText.short(ring.byteCount))"
    if let ringSeconds, let rate = writtenBytesPerSecond {
      text += " lasts \(Self.span(Int64(min(ringSeconds, 1e15)))) at \(ByteText.short(Int(rate)))/s"
    }
    return text
  }

  /// Rows with their columns aligned, except for the last column.
  private static func aligned(_ rows: [[String]]) -> [String] {
    let rows = rows.map { $0.map(VisibleText.oneLine) }
    let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
    return rows.map { row in
      let cells = zip(row, widths).map { $0 + String(repeating: " ", count: $1 - $0.count) }
      let line = cells.joined(separator: "  ")
      return String(line.prefix(line.count - line.reversed().prefix { $0 == " " }.count))
    }
  }

  static func tenths(_ value: Double) -> String { "\((value * 10).rounded() / 10)" }

  /// A time span, as in `3d 04:05:06`.
  private static func span(_ seconds: Int64) -> String {
    func two(_ number: Int64) -> String { number < 10 ? "0\(number)" : "\(number)" }
    let days = seconds / 86_400
    let time = "\(two(seconds / 3600 % 24)):\(two(seconds / 60 % 60)):\(two(seconds % 60))"
    return days > 0 ? "\(days)d \(time)" : time
  }
}

extension RunStatus.Output {
  fileprivate var row: [String] {
    [
      name, state.rawValue, entriesPerSecond.map(RunStatus.tenths) ?? "-", "\(spool?.waiting.entries ?? 0)",
      "\(ByteText.short(spool?.memoryBytes ?? 0))/\(memoryBytesMax.map(ByteText.short) ?? "-")",
      diskBytesMax.map { "\(ByteText.short(spool?.diskBytes ?? 0))/\(ByteText.short($0))" } ?? "-",
      lastEntrySeconds.map(UTCTime.text) ?? "-",
    ]
  }

  /// The accounting line, the causes that have a count, and what has failed.
  fileprivate var accountLines: [String] {
    var causes = Ledger.Cause.allCases.filter { account[$0] > 0 }.map { "\($0.rawValue)=\(account[$0])" }
    if account.incompleteByLimit > 0 { causes.append("incomplete_by_limit=\(account.incompleteByLimit)") }
    if account.incompleteByTimeout > 0 {
      causes.append("incomplete_by_timeout=\(account.incompleteByTimeout)")
    }
    if account.incompleteByReload > 0 { causes.append("incomplete_by_reload=\(account.incompleteByReload)") }
    return [account.description] + (causes.isEmpty ? [] : [causes.joined(separator: " ")])
      + (failure.map { [$0] } ?? [])
  }
}
