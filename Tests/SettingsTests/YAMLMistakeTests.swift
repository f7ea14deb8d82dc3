import Settings
import Testing

/// A file with a mistake, and the message for it.
struct YAMLMistake: CustomTestStringConvertible {
  let text: String
  let message: String

  init(_ text: String, _ message: String) {
    self.text = text
    self.message = message
  }

  var testDescription: String { message }

  static let refused: [YAMLMistake] = [
    .init("a: &base b", #"f:1:4: the anchor "&base": expected the value alone"#),
    .init("a: &m\n  b: c", #"f:1:4: the anchor "&m": expected the value alone"#),
    .init("a: &l [b]", #"f:1:4: the anchor "&l": expected the value alone"#),
    .init("&k a: b", #"f:1:1: the anchor "&k": expected the value alone"#),
    .init("a:\n  b: *base", #"f:2:6: the alias "*base": expected the value itself"#),
    .init("*base : b", #"f:1:1: the alias "*base": expected the value itself"#),
    .init("a: !!str 5", #"f:1:4: the tag "!!str": expected the value alone"#),
    .init("a: !!seq [b]", #"f:1:4: the tag "!!seq": expected the value alone"#),
    .init("a: !own {b: c}", #"f:1:4: the tag "!own": expected the value alone"#),
    .init("a: ! b", #"f:1:4: the tag "!": expected the value alone"#),
    .init("a: !<x:y> b", #"f:1:4: the tag "x:y": expected the value alone"#),
    .init("%YAML 1.1\n---\na: b", #"f:1:1: the directive "%YAML 1.1": expected settings alone"#),
    .init("# x\n%TAG !e! x:\n---\na: b", #"f:2:1: the directive "%TAG !e! x:": expected settings alone"#),
    .init("a: b\n---\nc: d", "f:2:1: a second document: expected only one in a file"),
    .init("--- {}\n---\n", "f:2:1: a second document: expected only one in a file"),
    .init("a: b\nc: d\na: e", "f:3:1: a: a second time: expected it only once, as in line 1"),
    .init("{a: b, \"a\": c}", "f:1:8: a: a second time: expected it only once, as in line 1"),
    .init("x:\n  a: b\n  a: {c: d}", "f:3:3: a: a second time: expected it only once, as in line 2"),
    .init("<<: b", #"f:1:1: the merge key "<<": expected the settings themselves"#),
    .init("[a, b]: c", "f:1:1: a list for a key: expected a text"),
    .init("? {a: b}\n: c", "f:1:3: a mapping for a key: expected a text"),
    .init("?\n: b", "f:1:2: no key: expected one"),
    .init("'': b", "f:1:1: no key: expected one"),
    .init(#"a: "\0""#, "f:1:4: a text with a NUL byte: expected one without"),
  ]

  static let noYAML: [YAMLMistake] = [
    .init(
      "a: b\nc\n",
      #"f:2:1: "c": expected a key of one line with a colon and a blank behind it, as in "key: value""#),
    .init(
      "a: b: c",
      #"f:1:5: ": c": expected no second colon; a text with a colon and a blank in it stands in quotation marks"#
    ),
    .init("a:\n\tb: c", "f:2:1: a TAB: expected blanks to indent with"),
    .init("a: |\n\tb", "f:2:1: a TAB: expected blanks to indent with"),
    .init("a: b\n\t\n", "f:2:1: a TAB: expected blanks to indent with"),
    .init("a: @x", #"f:1:4: "@x": expected a text that begins like this to stand in quotation marks"#),
    .init("a: %{x}", #"f:1:4: "%{x}": expected a text that begins like this to stand in quotation marks"#),
    .init(
      "a: \"b\nc: d\n", "f:1:4: a quotation mark that is never closed: expected another one that closes it"),
    .init("a: b\nc: 'd", "f:2:4: a quotation mark that is never closed: expected another one that closes it"),
    .init("a: \"b\n---\n\"", #"f:2:1: "---": expected the quotation mark that closes the text from line 1"#),
    .init(
      #"a: "\.php""#,
      #"f:1:5: "\.php"": expected an escape that YAML has; between single quotation marks, a backslash is one"#
    ),
    .init(
      #"a: "\ud800""#,
      #"f:1:7: "d800"": expected an escape that YAML has; between single quotation marks, a backslash is one"#
    ),
    .init(
      "a:\n  - b\n c: d", #"f:3:2: "c: d": expected a key in column 1, like those of the mapping from line 1"#
    ),
    .init(
      "x:\n  a: \"b\" c", #"f:2:10: "c": expected a key in column 3, like those of the mapping from line 2"#),
    .init("- a\nb: c", #"f:2:1: "b: c": expected "-" in column 1, as in the list from line 1"#),
    .init("a: [b\nc: d", #"f:2:2: ": d": expected "," or "]" for the list that begins in line 1"#),
    .init("a: [b", #"f:1:6: the end of the file: expected "," or "]" for the list that begins in line 1"#),
    .init(
      "a: {b: c", #"f:1:9: the end of the file: expected "," or "}" for the mapping that begins in line 1"#),
    .init(
      "{a: b} c", #"f:1:8: "c": expected nothing behind the settings, all of which begin in the same column"#),
    .init(
      "  a: b\nc: d",
      #"f:2:1: "c: d": expected nothing behind the settings, all of which begin in the same column"#),
    .init("{: b}", #"f:1:2: ": b}": expected a value"#),
    .init("a: [,]", #"f:1:5: ",]": expected a value"#),
    .init("a: !e!x b", #"f:1:4: "!e!x b": expected the value without a tag"#),
    .init("a: & b", #"f:1:4: "& b": expected a text that begins like this to stand in quotation marks"#),
    .init("a: *", #"f:1:4: "*": expected a text that begins like this to stand in quotation marks"#),
    .init("a: - b", #"f:1:4: "- b": expected a list that begins on a line of its own"#),
    .init("a: ? b", #"f:1:4: "? b": expected a text that begins like this to stand in quotation marks"#),
    .init("a: |x\n b", #"f:1:5: "x": expected the text to begin in the next line"#),
    .init(
      "a: !<x b", #"f:1:7: " b", did not find the expected '>': expected YAML"#),
  ]
}

struct YAMLMistakeTests {
  private func messages(_ bytes: [UInt8]) -> [String] {
    YAMLReader.read(bytes, path: "f").mistakes.map(\.description)
  }

  @Test(arguments: YAMLMistake.refused)
  func `what makes a file mean something else is refused, and the rest is read`(_ sample: YAMLMistake) {
    #expect(messages(Array(sample.text.utf8)) == [sample.message])
    #expect(messages(Array((sample.text + "\n").utf8)) == [sample.message])
    #expect(messages(Array(sample.text.replacing("\n", with: "\r\n").utf8)) == [sample.message])
  }

  @Test(arguments: YAMLMistake.noYAML)
  func `what is no YAML is told in one line, and nothing of it is used`(_ sample: YAMLMistake) {
    #expect(messages(Array(sample.text.utf8)) == [sample.message])
    #expect(YAMLReader.read(Array(sample.text.utf8), path: "f").node == nil)
  }

  @Test(
    arguments: [
      ([0x61, 0x3A, 0x20, 0xE9], "f:1:4: the byte 0xE9, which is no UTF-8: expected text in UTF-8"),
      (
        [0x61, 0x3A, 0xC3, 0xA9, 0xC0, 0x80],
        "f:1:4: the byte 0xC0, which is no UTF-8: expected text in UTF-8"
      ),
      ([0x61, 0x0A, 0xED, 0xA0, 0x80], "f:2:1: the byte 0xED, which is no UTF-8: expected text in UTF-8"),
      ([0x61, 0x0A, 0xC3, 0x0A, 0x62], "f:2:1: the byte 0xC3, which is no UTF-8: expected text in UTF-8"),
      ([0xFF, 0xFE, 0x61, 0x00], "f:1:1: text in UTF-16: expected text in UTF-8"),
      ([0xFE, 0xFF, 0x00, 0x61], "f:1:1: text in UTF-16: expected text in UTF-8"),
    ] as [([UInt8], String)])
  func `bytes that are no text are told with their place`(_ bytes: [UInt8], _ message: String) {
    #expect(messages(bytes) == [message])
    #expect(YAMLReader.read(bytes, path: "f").node == nil)
  }

  @Test(arguments: [
    ("a: b\0", "f:1:5: a NUL byte"), ("a: \u{7}", "f:1:4: the character U+0007"),
    ("a: \u{1B}[1m", "f:1:4: the character U+001B"),
    ("a: b\rc: d\n", "f:1:5: a carriage return within a line"),
    ("a: \u{85}", "f:1:4: the character U+0085"), ("# \u{2028}", "f:1:3: the character U+2028"),
    ("a: é\u{FEFF}", "f:1:5: the character U+FEFF"), ("a: b\r", "f:1:5: a carriage return within a line"),
  ])
  func `characters that end lines for some programs alone are refused`(_ text: String, _ start: String) {
    #expect(
      messages(Array(text.utf8)) == [
        start + #": expected text; between double quotation marks, there is "\u0085" for U+0085"#
      ])
  }

  @Test func `each line that isn't text is told, but not of a file that isn't text at all`() {
    let lines = messages(Array("# \u{1}\na: b\nc: \u{2}\u{3}\n".utf8))
    #expect(lines.map { $0.prefix(6) } == ["f:1:3:", "f:3:4:"])
    #expect(messages([UInt8](repeating: 0x0A, count: 100).flatMap { [$0, 0] }).count == 20)
    let directives = String(repeating: "%YAML 1.1\n", count: 30)
    #expect(messages(Array("\(directives)\0\n\0\n".utf8)).count == 32)
  }

  @Test func `a file may be so long and no longer`() {
    let text = Array("a: b # ".utf8)
    let most = text + [UInt8](repeating: 0x78, count: YAMLReader.byteCountMax - text.count)
    #expect(messages(most) == [])
    #expect(messages(most + [0x78]) == ["f:1:1: 1048577 bytes: expected at most 1048576"])
  }

  @Test func `a message shows what can't be seen, and not all of a long text`() {
    let long = String(repeating: "x", count: 500)
    #expect(
      YAMLReader.read(Array("\"\\e[2J\": a\n\"\\e[2J\": b".utf8), path: "a\nb").mistakes.map(\.description)
        == [#"a\nb:2:1: \x1b[2J: a second time: expected it only once, as in line 1"#])
    #expect(
      messages(Array("a: &\(long) b".utf8))
        == ["f:1:4: the anchor \"&\(long.prefix(79))…\": expected the value alone"])
  }

  @Test func `every mistake of a file is told at once, in order`() {
    let text = """
      %YAML 1.1
      ---
      input: &in
        log: !!str a
        log: b
      <<: *in
      outputs:
        - *in
        - file: x
          file: *in
          [a]: &x b
      input: again
      """
    #expect(
      messages(Array(text.utf8)) == [
        #"f:1:1: the directive "%YAML 1.1": expected settings alone"#,
        #"f:3:8: the anchor "&in": expected the value alone"#,
        #"f:4:8: the tag "!!str": expected the value alone"#,
        #"f:5:3: log: a second time: expected it only once, as in line 4"#,
        #"f:6:1: the merge key "<<": expected the settings themselves"#,
        #"f:6:5: the alias "*in": expected the value itself"#,
        #"f:8:5: the alias "*in": expected the value itself"#,
        #"f:10:5: file: a second time: expected it only once, as in line 9"#,
        #"f:10:11: the alias "*in": expected the value itself"#,
        #"f:11:5: a list for a key: expected a text"#,
        #"f:11:10: the anchor "&x": expected the value alone"#,
        #"f:12:1: input: a second time: expected it only once, as in line 3"#,
      ])
  }

  @Test func `mistakes before the end of what is YAML are told with it`() {
    #expect(
      messages(Array("a: &x b\na: c\nd: [e\n".utf8)) == [
        #"f:1:4: the anchor "&x": expected the value alone"#,
        "f:2:1: a: a second time: expected it only once, as in line 1",
        #"f:4:1: the end of the file: expected "," or "]" for the list that begins in line 3"#,
      ])
  }
}
