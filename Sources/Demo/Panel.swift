import TerminalViews

/// Draws the lines at the bottom of the terminal.
struct Panel {
  let hasColours: Bool

  /// The least number of rows left to lines.
  private static let otherRowsMin = 6

  /// The panel's lines, none of them wider than the terminal, so that it doesn't scroll; fewer on a small
  /// terminal.
  func lines(_ figures: PanelFigures, columns: Int, rows: Int) -> [String] {
    // The last column stays free: some terminals wrap to the next row when it is written.
    let width = columns - 1
    guard width >= 12, rows >= 3 else { return [] }
    if rows < Self.otherRowsMin + 4 { return [fit(summary(figures), width)] }
    return [title(figures), flow(figures, width), counters(figures), keys(figures)].map { fit($0, width) }
  }

  private func title(_ figures: PanelFigures) -> [StyledLine.Piece] {
    [
      StyledLine.Piece("-- spillway demo -- ", .faint), StyledLine.Piece(figures.path, .strong),
      StyledLine.Piece(" -- " + String(repeating: "-", count: 512), .faint),
    ]
  }

  private func flow(_ figures: PanelFigures, _ width: Int) -> [StyledLine.Piece] {
    var pieces = [
      StyledLine.Piece("seen \(ShownNumber.rate(figures.seenRate))/s  ", .plain),
      StyledLine.Piece(
        "written \(ShownNumber.rate(figures.writtenRate))/s  ", figures.isStalled ? .warning : .plain),
      StyledLine.Piece(
        "lag \(ShownNumber.decimal(figures.lagSeconds, digits: 2)) s, \(ShownNumber.size(figures.lagBytes))  ",
        figures.lagSeconds < 1 ? .good : .bad),
      StyledLine.Piece(
        "spool \(ShownNumber.size(figures.spoolBytes)) of \(ShownNumber.size(figures.spoolBytesMax)) ",
        figures.spoolBytes > 0 ? .warning : .plain),
    ]
    let left = width - pieces.reduce(0) { $0 + $1.text.utf8.count }
    if left >= 7 { pieces.append(bar(figures, min(left, 30))) }
    return pieces
  }

  private func bar(_ figures: PanelFigures, _ width: Int) -> StyledLine.Piece {
    let room = width - 2
    let share = figures.spoolBytesMax > 0 ? Double(figures.spoolBytes) / Double(figures.spoolBytesMax) : 0
    let full = min(room, Int((Double(room) * share).rounded(.up)))
    return StyledLine.Piece(
      "[" + String(repeating: "#", count: full) + String(repeating: ".", count: room - full) + "]",
      .faint)
  }

  private func counters(_ figures: PanelFigures) -> [StyledLine.Piece] {
    [
      StyledLine.Piece(
        "in all: seen \(figures.seen)  written \(figures.written)  filtered \(figures.filtered)  ",
        .plain),
      StyledLine.Piece("dropped \(figures.dropped)", figures.dropped > 0 ? .bad : .plain),
      StyledLine.Piece("  ", .plain),
      StyledLine.Piece("lost \(figures.lost)", figures.lost > 0 ? .bad : .good),
      StyledLine.Piece("  hits \(figures.hitPercentage)%  turns of the log \(figures.cycles)", .plain),
    ]
  }

  private func keys(_ figures: PanelFigures) -> [StyledLine.Piece] {
    let stall =
      figures.isStalled
      ? StyledLine.Piece("s lets the stalled consumer go on", .warning)
      : StyledLine.Piece("s stalls the consumer", .faint)
    return [
      stall, StyledLine.Piece("   + - rate (\(ShownNumber.rate(figures.rate)) requests/s)   q ends", .faint),
    ]
  }

  private func summary(_ figures: PanelFigures) -> [StyledLine.Piece] {
    [
      StyledLine.Piece(
        "\(ShownNumber.rate(figures.seenRate))/s  lag \(ShownNumber.decimal(figures.lagSeconds, digits: 2)) s  "
          + "spool \(ShownNumber.size(figures.spoolBytes))  lost \(figures.lost)",
        figures.isStalled ? .warning : .plain)
    ]
  }

  /// As much of the pieces as fits into the width.
  private func fit(_ pieces: [StyledLine.Piece], _ width: Int) -> String {
    StyledLine(pieces).rendered(width: width, hasColours: hasColours, hasEmphasis: hasColours)
  }
}
