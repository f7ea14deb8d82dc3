import Glibc
import Statistics
import TestSupport
import Testing

/// Patterns for names.
struct GlobTests {
  private static func matches(_ pattern: String, _ name: String) -> Bool {
    Glob(Array(pattern.utf8)).matches(name)
  }

  @Test func `stars, question marks, sets and backslashes mean what they mean elsewhere`() {
    #expect(Self.matches("MAIN.*", "MAIN.uptime") && !Self.matches("MAIN.*", "MGT.uptime"))
    #expect(Self.matches("*", "") && Self.matches("**", "a.b/c") && !Self.matches("", "a"))
    #expect(Self.matches("M[AG]*.up?ime", "MAIN.uptime") && !Self.matches("M[!A]*", "MAIN.uptime"))
    #expect(Self.matches("[[:upper:]]*", "MAIN") && !Self.matches("[^[:upper:]]*", "MAIN"))
    #expect(Self.matches("a\\*", "a*") && !Self.matches("a\\*", "ab") && !Self.matches("a\\", "a\\"))
    // A two-byte character counts as two.
    #expect(!Self.matches("?", "é") && Self.matches("??", "é") && Self.matches("é", "é"))
    #expect(Self.matches("[]x]*", "]") && Self.matches("[", "[") && Self.matches("a[x", "a[x"))
  }

  @Test func `every pattern matches what fnmatch says that it matches`() {
    var random = SeededGenerator(seed: 7)
    let pieces = [
      "a", "b", ".", "*", "?", "[ab]", "[!a]", "[^b.]", "[a-c]", "\\", "\\*", "[", "]", "[]a]", "[[:alpha:]]",
    ]
    let letters: [Character] = ["a", "b", "c", ".", "*", "[", "]", "\\"]
    var matched = 0
    for _ in 0..<40_000 {
      let pattern = (0..<Int.random(in: 0...6, using: &random)).map { _ in
        pieces.randomElement(using: &random) ?? ""
      }.joined()
      let name = String(
        (0..<Int.random(in: 0...7, using: &random)).map { _ in letters.randomElement(using: &random) ?? "a" })
      let expected = fnmatch(pattern, name, 0) == 0
      if Self.matches(pattern, name) != expected {
        Issue.record("\(pattern) and \(name): fnmatch says \(expected); \(random)")
        return
      }
      if expected { matched += 1 }
    }
    #expect(matched > 1000)
  }

  @Test(.limit(minutes: 1)) func `many stars and a long name take no long time`() {
    let pattern = String(repeating: "*a", count: 200) + "b"
    #expect(!Self.matches(pattern, String(repeating: "a", count: 20_000)))
  }
}
