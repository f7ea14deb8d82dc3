/// Draws the lines at the bottom of the terminal.
struct Panel {
  let hasColours: Bool

  private struct Piece {
    let text: String
    let style: Style
  }

  private enum Style: String {
    case plain = ""
    case faint = "2"
    case strong = "1"
    case good = "32"
    case warning = "33"
    case bad = "31"
  }

  /// So many rows are left to lines at least.
  private static let otherRowsMin = 6

  /// The lines, none wider than the terminal and none that would make it scroll; fewer if it is small.
  func lines(_ figures: PanelFigures, columns: Int, rows: Int) -> [String] {
    // The last column stays free: some terminals go on to the next row when it is written.
    let width = columns - 1
    guard width >= 12, rows >= 3 else { return [] }
    if rows < Self.otherRowsMin + 4 { return [fit(summary(figures), width)] }
    return [title(figures), flow(figures, width), counters(figures), keys(figures)].map { fit($0, width) }
  }

  private func title(_ figures: PanelFigures) -> [Piece] {
    [
      Piece(text: "-- spillway demo -- ", style: .faint), Piece(text: figures.path, style: .strong),
      Piece(text: " -- " + String(repeating: "-", count: 512), style: .faint),
    ]
  }

  private func flow(_ figures: PanelFigures, _ width: Int) -> [Piece] {
    var pieces = [
      Piece(text: "seen \(Self.rate(figures.seenRate))/s  ", style: .plain),
      Piece(
        text: "written \(Self.rate(figures.writtenRate))/s  ", style: figures.isStalled ? .warning : .plain),
      Piece(
        text: "lag \(Self.decimal(figures.lagSeconds, digits: 2)) s, \(Self.size(figures.lagBytes))  ",
        style: figures.lagSeconds < 1 ? .good : .bad),
      Piece(
        text: "spool \(Self.size(figures.spoolBytes)) of \(Self.size(figures.spoolBytesMax)) ",
        style: figures.spoolBytes > 0 ? .warning : .plain),
    ]
    let left = width - pieces.reduce(0) { $0 + $1.text.utf8.count }
    if left >= 7 { pieces.append(bar(figures, min(left, 30))) }
    return pieces
  }

  private func bar(_ figures: PanelFigures, _ width: Int) -> Piece {
    let room = width - 2
    let share = figures.spoolBytesMax > 0 ? Double(figures.spoolBytes) / Double(figures.spoolBytesMax) : 0
    let full = min(room, Int((Double(room) * share).rounded(.up)))
    return Piece(
      text: "[" + String(repeating: "#", count: full) + String(repeating: ".", count: room - full) + "]",
      style: .faint)
  }

  private func counters(_ figures: PanelFigures) -> [Piece] {
    [
      Piece(
        text: "in all: seen \(figures.seen)  written \(figures.written)  filtered \(figures.filtered)  ",
        style: .plain),
      Piece(text: "dropped \(figures.dropped)", style: figures.dropped > 0 ? .bad : .plain),
      Piece(text: "  ", style: .plain),
      Piece(text: "lost \(figures.lost)", style: figures.lost > 0 ? .bad : .good),
      Piece(text: "  hits \(figures.hitPercentage)%  turns of the log \(figures.cycles)", style: .plain),
    ]
  }

  private func keys(_ figures: PanelFigures) -> [Piece] {
    let stall =
      figures.isStalled
      ? Piece(text: "s lets the stalled consumer go on", style: .warning)
      : Piece(text: "s stalls the consumer", style: .faint)
    return [
      stall, Piece(text: "   + - rate (\(Self.rate(figures.rate)) requests/s)   q ends", style: .faint),
    ]
  }

  private func summary(_ figures: PanelFigures) -> [Piece] {
    [
      Piece(
        text: "\(Self.rate(figures.seenRate))/s  lag \(Self.decimal(figures.lagSeconds, digits: 2)) s  "
          + "spool \(Self.size(figures.spoolBytes))  lost \(figures.lost)",
        style: figures.isStalled ? .warning : .plain)
    ]
  }

  // MARK: Fitting in

  /// As much as there is room for; everything here is ASCII but for the directory's name.
  private func fit(_ pieces: [Piece], _ width: Int) -> String {
    var line = ""
    var left = width
    for piece in pieces where left > 0 {
      let text = String(piece.text.prefix(left))
      left -= text.count
      line +=
        hasColours && piece.style != .plain ? "\u{1B}[\(piece.style.rawValue)m\(text)\u{1B}[0m" : text
    }
    return line
  }

  static func rate(_ number: Double) -> String {
    number < 100 ? decimal(number, digits: 1) : "\(Int(number))"
  }

  static func decimal(_ number: Double, digits: Int) -> String {
    let scale = digits == 1 ? 10 : 100
    let scaled = Int((max(0, number) * Double(scale)).rounded())
    let fraction = String(scaled % scale)
    return "\(scaled / scale)." + String(repeating: "0", count: digits - fraction.count) + fraction
  }

  /// Bytes in the unit that leaves at most four digits.
  static func size(_ bytes: Int) -> String {
    var (number, unit) = (Double(bytes), "B")
    for larger in ["KiB", "MiB", "GiB"] where number >= 1000 { (number, unit) = (number / 1024, larger) }
    return unit == "B" ? "\(bytes) B" : "\(decimal(number, digits: 1)) \(unit)"
  }
}
