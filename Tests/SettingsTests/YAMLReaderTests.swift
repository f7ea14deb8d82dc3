import Settings
import Testing

struct YAMLReaderTests {
  private func read(_ text: String) -> ParsedSettings { YAMLReader.read(Array(text.utf8), path: "f") }

  @Test(arguments: [
    "no", "yes", "NO", "on", "off", "true", "null", "~", "0644", "0x1F", "1h", "1e3", ".inf", ".nan",
    "12:30:45",
    "2024-01-01", "1_000", "=", "-x", "a#b", "a:b", "/var/log/x",
    "RespStatus >= 500", "é ünï 日本 🎈", "a  b",
  ])
  func `a text is what stands there, and no other type`(_ text: String) {
    #expect(read("key: \(text)\n").node?.text("key") == text)
    #expect(read("key: \(text) # no part of it").node?.text("key") == text)
    #expect(read("key: '\(text)'").node?.text("key") == text)
    #expect(read("key: \"\(text)\"\r\n").node?.text("key") == text)
    #expect(read("'\(text)': x").node?.text(text) == "x")
  }

  @Test(arguments: [
    (#"'it''s \n'"#, #"it's \n"#), (#""a\tb\"c\\d\x41\u00e9""#, "a\tb\"c\\dAé"), ("''", ""), (#""""#, ""),
    ("|\n  a\n   b\n", "a\n b\n"), (">-\n  a\n  b\n", "a b"), ("a\n  b", "a b"), ("\n  a", "a"),
  ])
  func `every notation of a text is read`(_ written: String, _ text: String) {
    #expect(read("key: \(written)").node?.text("key") == text)
    #expect(read("key: \(written)").mistakes == [])
  }

  @Test(arguments: [
    ("a: b", #"1:1 {1:1 a=1:4 "b"}"#),
    ("# x\n\na:\n  b:   c\n  d: 'e'\n", #"3:1 {3:1 a=4:3 {4:3 b=4:8 "c", 5:3 d=5:6 "e"}}"#),
    ("a:\n- b\n-   c: d\n", #"1:1 {1:1 a=2:1 [2:3 "b", 3:5 {3:5 c=3:8 "d"}]}"#),
    ("{a: [b, {c: d}], \"e\": f}", #"1:1 {1:2 a=1:5 [1:6 "b", 1:9 {1:10 c=1:13 "d"}], 1:18 e=1:23 "f"}"#),
    ("é: ü\n日本: [🎈, x]", #"1:1 {1:1 é=1:4 "ü", 2:1 日本=2:5 [2:6 "🎈", 2:9 "x"]}"#),
    ("a: |\n  b\nc: >\n  d", "1:1 {1:1 a=1:4 \"b\n\", 3:1 c=3:4 \"d\"}"),
    ("---\na: b\n...\n", #"2:1 {2:1 a=2:4 "b"}"#),
    ("\u{FEFF}a: b", #"1:1 {1:1 a=1:4 "b"}"#),
    ("a: b\r\nc: d\r\n", #"1:1 {1:1 a=1:4 "b", 2:1 c=2:4 "d"}"#),
    ("? a\n: b", #"1:1 {1:3 a=2:3 "b"}"#),
  ])
  func `every value has its place`(_ text: String, _ outline: String) {
    #expect(read(text).node?.outline == outline)
    #expect(read(text).mistakes == [])
  }

  @Test(arguments: [
    ("a:\nb: c", #"1:1 {1:1 a=1:3 nothing, 2:1 b=2:4 "c"}"#), ("a: # x\n", "1:1 {1:1 a=1:3 nothing}"),
    ("a:\n  -\n  - \"\"", #"1:1 {1:1 a=2:3 [2:4 nothing, 3:5 ""]}"#),
    ("{a, b: }", "1:1 {1:2 a=1:3 nothing, 1:5 b=1:8 nothing}"),
    ("", "1:1 nothing"), ("# only this\n", "1:1 nothing"), ("---\n", "2:1 nothing"),
  ])
  func `what has no value is told from an empty text`(_ text: String, _ outline: String) {
    #expect(read(text).node?.outline == outline)
    #expect(read(text).mistakes == [])
  }

  @Test func `a mapping gives its keys in their order and each by its name`() throws {
    guard case .mapping(let mapping)? = read("b: 1\na: 2\nc: 3").node else {
      Issue.record("no mapping")
      return
    }
    #expect(mapping.entries.map(\.key) == ["b", "a", "c"])
    #expect(mapping["a"]?.place == SettingsPlace(source: .file("f"), line: 2, column: 1))
    #expect(mapping["d"] == nil)
  }

  @Test func `places are written as editors and compilers know them`() {
    #expect(
      SettingsPlace(source: .file("/etc/a.yaml"), line: 3, column: 17).description == "/etc/a.yaml:3:17")
    #expect(SettingsPlace(source: .option("--output"), column: 12).description == "--output, column 12")
  }
}
