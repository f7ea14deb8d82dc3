@testable import Demo
import TerminalViews
import Testing

@Suite("Drawing the panel")
struct PanelTests {
  private let figures: PanelFigures = {
    var figures = PanelFigures()
    figures.seenRate = 49.96
    figures.spoolBytes = 3 << 20
    figures.spoolBytesMax = 16 << 20
    figures.lost = 7
    figures.path = "/tmp/log"
    return figures
  }()

  @Test("No line is as wide as the terminal, whatever its size", arguments: 1...130)
  func width(columns: Int) {
    for rows in 1...40 {
      let lines = Panel(hasColours: false).lines(figures, columns: columns, rows: rows)
      #expect(lines.allSatisfy { $0.count < columns })
      #expect(lines.count <= 4 && (lines.isEmpty || lines.count < rows - 1))
    }
  }

  @Test("Colours change nothing but colours, and end with every piece")
  func colours() {
    let plain = Panel(hasColours: false).lines(figures, columns: 100, rows: 30)
    let coloured = Panel(hasColours: true).lines(figures, columns: 100, rows: 30)
    #expect(coloured.map { VirtualScreen($0, columns: 200).lines.first ?? "" } == plain)
    #expect(coloured.contains { $0.contains("\u{1B}[31mlost 7\u{1B}[0m") })
    #expect(!plain.joined().contains("\u{1B}"))
  }

  @Test("Numbers have the unit and digits that one reads at a glance")
  func numbers() {
    #expect(
      [0, 999, 1000, 16 << 20, 5 << 30].map(ShownNumber.size) == [
        "0 B", "999 B", "1.0 KiB", "16.0 MiB", "5.0 GiB",
      ])
    #expect([0.04, 49.96, 99.94, 1234.5].map(ShownNumber.rate) == ["0.0", "50.0", "99.9", "1234"])

    #expect(ShownNumber.decimal(0.07, digits: 2) == "0.07")
  }

  @Test("Rates are of about the last second")
  func rates() {
    var meter = RateMeter()
    #expect(meter.add(seen: 100, written: 90, at: 0) == (0, 0))
    var last = (seen: 0.0, written: 0.0)
    for step in 1...20 { last = meter.add(seen: 100 + step * 10, written: 90, at: Int64(step) * 200_000_000) }
    #expect(last == (50, 0))
  }
}
