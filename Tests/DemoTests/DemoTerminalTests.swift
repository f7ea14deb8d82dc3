import Glibc
import TestSupport
import Testing

@Suite("The panel of spillway demo", .needs(.spillway))
struct DemoTerminalTests {
  private static let format = ["-F", "%s line"]

  /// A way in which the demonstration ends, and its exit status.
  enum Ending: String, CaseIterable, Sendable {
    case count, q, interruptKey, interrupt, terminate, hangup
  }

  @Test("It is there, and gone at the end with all that it changed", arguments: Ending.allCases)
  func comesAndGoes(ending: Ending) async throws {
    try await onOwnThread {
      let terminal = try PseudoTerminal(columns: 100, rows: 24)
      let before = terminal.settings
      let arguments = ending == .count ? ["--count", "60", "--rate", "60"] : []
      let child = try terminal.start(try DemoRun.command(arguments + Self.format))
      let text = try terminal.wait(for: { $0.contains("q ends") && $0.contains("line") }, "the panel")
      #expect(terminal.settings != before)
      #expect(VirtualScreen(text, columns: 100).hidesCursor)
      switch ending {
      case .count: break
      case .q: terminal.press("q")
      case .interruptKey: terminal.press("\u{3}")
      case .interrupt: child.signal(SIGINT)
      case .terminate: child.signal(SIGTERM)
      case .hangup: child.signal(SIGHUP)
      }
      let end = try child.wait(by: .after(.seconds(30)))
      #expect(end.status == 0)
      #expect(terminal.settings == before)
      try terminal.wait(for: { $0.hasSuffix("\u{1B}[?25h") }, "the cursor")
      let screen = VirtualScreen(terminal.text, columns: 100)
      #expect(!screen.hidesCursor)
      let figures = DemoRun.accounting(screen.lines.last ?? "")
      #expect(figures["written"] == screen.lines.count - 1, "\(screen.lines.suffix(3))")
      #expect(screen.lines.dropLast().allSatisfy { $0.hasSuffix(" line") })
      if ending == .count { #expect(figures["written"] == 60) }
    }
  }

  @Test("It fits the terminal, also when that changes")
  func resizes() async throws {
    try await onOwnThread {
      let terminal = try PseudoTerminal(columns: 120, rows: 30)
      let child = try terminal.start(try DemoRun.command(Self.format))
      try terminal.wait(for: { $0.contains("[....") && $0.contains("q ends") }, "the wide panel")
      var start = terminal.byteCount
      terminal.resize(columns: 40, rows: 30)
      // Output on its way may still have the old width; after the second drawing nothing has.
      try terminal.wait(from: start, for: { $0.components(of: "s stalls the consumer").count > 2 })
      let narrow = terminal.text
      let widest = narrow.split(separator: "-- spillway demo").last.map { part in
        part.split(separator: "\r\n").map { VirtualScreen(String($0), columns: 500).lines.first?.count ?? 0 }
      }
      #expect((widest?.dropFirst().max() ?? 99) < 40, "\(widest ?? [])")
      start = terminal.byteCount
      terminal.resize(columns: 80, rows: 6)
      let small = try terminal.wait(
        from: start, for: { $0.components(of: "/s  lag").count > 2 }, "the panel of one line")
      #expect(!(small.components(of: "/s  lag").last ?? "").contains("in all:"))
      terminal.press("q")
      #expect(try child.wait(by: .after(.seconds(30))).status == 0)
    }
  }

  @Test("A stalled consumer makes the spool grow and nothing else; then every line comes")
  func stalls() async throws {
    try await onOwnThread {
      let terminal = try PseudoTerminal(columns: 110, rows: 30)
      var command = try DemoRun.command(["--rate", "2000", "--seed", "1"] + Self.format)
      command.environment["NO_COLOR"] = "1"
      let child = try terminal.start(command)
      try terminal.wait(for: { $0.contains("q ends") && $0.contains("line") })
      terminal.press("s")
      try terminal.wait(for: { $0.contains("lets the stalled consumer go on") })
      let start = terminal.byteCount
      let stalled = try terminal.wait(from: start, for: { $0.contains("spool") && $0.contains("KiB of") })
      #expect(!stalled.contains(" line"))
      #expect(stalled.contains("lost 0") && stalled.contains("lag 0."))
      terminal.press("s")
      try terminal.wait(from: start, for: { $0.contains(" line") }, "another line")
      terminal.press("+")
      try terminal.wait(from: start, for: { $0.contains("(4000 requests/s)") })
      terminal.press("q")
      #expect(try child.wait(by: .after(.seconds(30))).status == 0)
      try terminal.wait(for: { $0.hasSuffix("\u{1B}[?25h") })
      let screen = VirtualScreen(terminal.text, columns: 110)
      #expect(!screen.hasColours)
      let figures = DemoRun.accounting(screen.lines.last ?? "")
      #expect(figures["written"] == screen.lines.count - 1)
      #expect(figures["dropped"] == 0 && figures["lost"] == 0)
    }
  }

  @Test(
    "Where a panel isn't wanted or can't be shown there are only lines",
    arguments: [["--no-panel"], ["TERM=dumb"], ["TERM="]])
  func plain(how: [String]) async throws {
    try await onOwnThread {
      let terminal = try PseudoTerminal(columns: 80, rows: 24)
      var command = try DemoRun.command(["--count", "10", "--rate", "200"] + Self.format)
      if how[0].hasPrefix("TERM=") {
        command.environment["TERM"] = String(how[0].dropFirst(5))
      } else {
        command.arguments += how
      }
      let child = try terminal.start(command)
      #expect(try child.wait(by: .after(.seconds(30))).status == 0)
      let text = try terminal.wait(for: { $0.contains("lost=0\r\n") })
      #expect(!text.contains("\u{1B}"))
      #expect(text.components(of: " line\r\n").count == 11)
    }
  }
}

extension String {
  /// The parts between occurrences of a text.
  fileprivate func components(of separator: String) -> [String] {
    split(separator: separator, omittingEmptySubsequences: false).map(String.init)
  }
}
