import LogReading
@testable import Statistics
import TerminalViews
import Testing

/// The live view, without a terminal and without waiting.
struct CounterScreenTests {
  private static func entry(
    _ name: String, _ value: UInt64, kind: Counter.Kind = .counter, format: Counter.Format = .integer,
    level: Counter.Level = .info, life: String = "1"
  ) -> ShownCounters.Entry {
    let counter = Counter(
      name: name, summary: "About \(name)", kind: kind, format: format, level: level, offset: 0)
    return ShownCounters.Entry(name: name, counter, value: value, life: life)
  }

  private static func shown(_ entries: [ShownCounters.Entry]) -> ShownCounters {
    ShownCounters(entries, workerSeconds: 100, managerSeconds: 200)
  }

  private static func screen() -> CounterScreen { CounterScreen(title: "/x", interval: 1, isRaw: false) }

  /// The columns of a counter's row.
  private static func row(_ name: String, _ screen: inout CounterScreen) -> [String]? {
    let line = screen.lines(columns: 79, rows: 24).first { $0.text.hasPrefix(name + " ") }
    return line.map { $0.text.split(separator: " ").dropFirst().map(String.init) }
  }

  @Test func `averages are those of their time, and no more`() throws {
    var screen = Self.screen()
    // 10 per second for 2,000 seconds, then 110 per second for 10.
    var value: UInt64 = 5
    for second in 0...2010 {
      screen.show(Self.shown([Self.entry("a", value)]), at: Int64(second) * 1_000_000_000)
      value += second < 2000 ? 10 : 110
    }
    // A span may be a twentieth longer: the last one is 1,010 seconds.
    #expect(try #require(Self.row("a", &screen)) == ["21105", "110.00", "110.00", "20.00", "10.99"])
  }

  @Test func `a gauge's averages are of its value`() throws {
    var screen = Self.screen()
    for second in 0...10 {
      screen.show(
        Self.shown([Self.entry("a", second < 5 ? 8 : 4, kind: .gauge)]), at: Int64(second) * 1_000_000_000)
    }
    // The value changes linearly within the second.
    #expect(try #require(Self.row("a", &screen)) == ["4", "0.00", "5.80", "5.80", "5.80"])
  }

  @Test func `a counter that begins anew, or is another one, has new averages`() throws {
    var screen = Self.screen()
    func look(_ value: UInt64, life: String, second: Int64) -> [String]? {
      screen.show(Self.shown([Self.entry("a", value, life: life)]), at: second * 1_000_000_000)
      return Self.row("a", &screen)
    }
    #expect(look(100, life: "1", second: 0) == ["100", ".", ".", ".", "."])
    #expect(look(200, life: "1", second: 1) == ["200", "100.00", "100.00", "100.00", "100.00"])
    #expect(look(50, life: "1", second: 2) == ["50", ".", ".", ".", "."])
    #expect(look(60, life: "2", second: 3) == ["60", ".", ".", ".", "."])
    #expect(look(61, life: "2", second: 4) == ["61", "1.00", "1.00", "1.00", "1.00"])
    // The counter disappears and comes back.
    screen.show(Self.shown([]), at: 5_000_000_000)
    #expect(look(70, life: "2", second: 6) == ["70", ".", ".", ".", "."])
  }

  @Test func `what was never anything but 0 is hidden until it is asked for, and so are levels`() {
    var screen = Self.screen()
    let entries = [Self.entry("zero", 0), Self.entry("diag", 1, level: .diag), Self.entry("one", 1)]
    screen.show(Self.shown(entries), at: 0)
    #expect(
      Self.row("zero", &screen) == nil && Self.row("diag", &screen) == nil && Self.row("one", &screen) != nil)
    _ = screen.take(.character("d"))
    _ = screen.take(.character("v"))
    #expect(Self.row("zero", &screen) != nil && Self.row("diag", &screen) != nil)
    _ = screen.take(.character("V"))
    _ = screen.take(.character("d"))
    #expect(Self.row("zero", &screen) == nil && Self.row("diag", &screen) == nil)
    screen.show(Self.shown([Self.entry("zero", 1)]), at: 1)
    screen.show(Self.shown([Self.entry("zero", 0)]), at: 2)
    // The counter was shown before.
    #expect(Self.row("zero", &screen) != nil)
  }

  @Test func `the choice stays with its counter`() {
    var screen = Self.screen()
    func chosen() -> String? {
      let lines = screen.lines(columns: 79, rows: 24)
      return lines[lines.count - 2].text.split(separator: " ").first.map(String.init)
    }
    screen.show(Self.shown(["a", "b", "c"].map { Self.entry($0, 1) }), at: 0)
    #expect(chosen() == "a")
    _ = screen.take(.down)
    #expect(chosen() == "b")
    screen.show(Self.shown(["x", "y", "a", "b", "c"].map { Self.entry($0, 1) }), at: 1)
    #expect(chosen() == "b")
    screen.show(Self.shown(["x"].map { Self.entry($0, 1) }), at: 2)
    #expect(chosen() == "x")
    for key in [Key.character("/"), .character("z")] { _ = screen.take(key) }
    #expect(screen.lines(columns: 79, rows: 24).last?.text.contains("0 match") == true)
    // While a text is typed, keys with another meaning are a part of it.
    #expect(screen.take(.character("q")) == .nothing && screen.take(.escape) == .nothing)
    #expect(screen.take(.character("q")) == .leave)
  }

  @Test func `keys move in the list as it is, whether it was shown by then or not`() {
    for isShown in [false, true] {
      var screen = Self.screen()
      screen.show(Self.shown(["a", "b", "c", "d"].map { Self.entry($0, 1) }), at: 0)
      for key in [Key.character("/"), .character("b")] { _ = screen.take(key) }
      _ = screen.lines(columns: 79, rows: 24)
      _ = screen.take(.escape)
      if isShown { _ = screen.lines(columns: 79, rows: 24) }
      _ = screen.take(.down)
      #expect(screen.lines(columns: 79, rows: 24).last?.text.hasPrefix("3 of 4") == true)
    }
  }

  @Test func `no size and no name makes a line wider or the screen longer than the terminal`() {
    var screen = Self.screen()
    let names = [
      "MAIN." + String(repeating: "long_", count: 30), "名前.の長い" + String(repeating: "値", count: 40), "s",
    ]
    let extremes: [UInt64] = [.max, 1 << 63, 123_456_789, 99_999, 0]
    var entries: [ShownCounters.Entry] = []
    for (index, name) in names.enumerated() {
      for (place, value) in extremes.enumerated() {
        for (kind, format) in [
          (Counter.Kind.counter, Counter.Format.bytes), (.gauge, .duration), (.bitmap, .bitmap),
          (.unknown, .unknown),
        ] {
          entries.append(
            Self.entry("\(name)\(place)\(kind)", value, kind: kind, format: format, life: "\(index)"))
        }
      }
    }
    screen.show(Self.shown(entries), at: 0)
    screen.show(Self.shown(entries), at: 1)
    screen.show(trouble: String(repeating: "trouble ", count: 50))
    for isHelp in [false, true] {
      if isHelp { _ = screen.take(.character("h")) }
      for columns in 1...140 {
        for rows in [1, 2, 3, 4, 5, 9, 10, 24, 60] {
          let lines = screen.lines(columns: columns, rows: rows)
          #expect(lines.count <= rows)
          for line in lines {
            let text = line.rendered(width: columns, hasColours: false, hasEmphasis: false)
            #expect(ShownWidth.of(text) <= columns)
          }
        }
      }
    }
  }
}
