import Platform
import Testing

/// Names chosen by other users or programs, in messages.
@Suite struct VisibleTextTests {
  private static let texts: [(String, String)] = [
    ("access.log: open: Permission denied", "access.log: open: Permission denied"),
    ("größe 🐢 日本", "größe 🐢 日本"),
    ("a\u{1b}[31mb", "a\\x1b[31mb"),
    ("a\u{1b}]0;title\u{07}b", "a\\x1b]0;title\\x07b"),
    ("a\nspillway: all is well", "a\\nspillway: all is well"),
    ("a\r\u{08}\tb\u{7f}", "a\\r\\x08\\tb\\x7f"),
    ("a\r\nb", "a\\r\\nb"),
    ("\u{9b}31m", "\\u{9b}31m"),
    ("x\u{202e}gol.ssecca", "x\\u{202e}gol.ssecca"),
    ("a\u{0}b", "a\\x00b"),
  ]

  @Test(arguments: texts)
  func nothingReachesTheTerminalButWhatCanBeSeen(text: String, shown: String) {
    #expect(VisibleText.oneLine(text) == shown)
  }

  @Test func textOfSeveralLinesKeepsThem() {
    #expect(VisibleText.lines("a\n\tb\u{1b}c\r\n") == "a\n\tb\\x1bc\\r\n")
  }
}
