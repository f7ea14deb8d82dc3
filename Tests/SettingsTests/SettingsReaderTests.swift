import Settings
import Testing

struct SettingsReaderTests {
  /// The kind of error that the options' own readers throw.
  private struct ValueError: Error, CustomStringConvertible {
    let description: String
  }

  private static func number(_ text: String) throws(ValueError) -> Int {
    guard let number = Int(text) else { throw ValueError(description: "expected a number") }
    return number
  }

  private func reader(_ text: String) -> SettingsReader {
    SettingsReader(YAMLReader.read(Array(text.utf8), path: "f"))
  }

  @Test func `settings are read by their own readers`() {
    var reader = reader("keep: 30\nfile: no\ngzip:\nlist: [1, 2]\none: 3\nnot-at-all: off")
    #expect(reader.take("keep", Self.number) == 30)
    #expect(reader.take("file") == "no")
    #expect(reader.takeSwitch("gzip") == true)
    #expect(reader.takeSwitch("not-at-all") == false)
    #expect(reader.takeList("list", Self.number) == [1, 2])
    #expect(reader.takeList("one", Self.number) == [3])
    #expect(reader.take("missing", Self.number) == nil)
    #expect(reader.takeSwitch("missing-too") == nil)
    #expect(reader.place(of: "one")?.description == "f:5:6")
    #expect(reader.finish() == [])
  }

  @Test func `mistakes show before the end, and so do settings that were not asked for yet`() {
    var good = reader("keep: 30\ngzip:")
    #expect(good.take("keep", Self.number) == 30)
    #expect(good.hasMistakes)
    #expect(good.takeSwitch("gzip") == true)
    #expect(!good.hasMistakes)
    var bad = reader("keep: x")
    #expect(bad.take("keep", Self.number) == nil)
    #expect(bad.hasMistakes)
  }

  @Test(arguments: [
    ("yes", true), ("No", false), ("true", true), ("false", false), ("on", true), ("OFF", false),
    ("'on'", true),
  ])
  func `a switch has a word, or none`(_ word: String, _ isOn: Bool) {
    var reader = reader("gzip: \(word)")
    #expect(reader.takeSwitch("gzip") == isOn)
    #expect(reader.finish() == [])
  }

  @Test(
    arguments: [
      ("gzip:", .on), ("gzip: yes", .on), ("gzip: off", .off), ("gzip: 9", .value(9)), ("other: 1", nil),
    ] as [(String, SettingsSwitch<Int>?)])
  func `a switch may have a value of its own`(_ text: String, _ level: SettingsSwitch<Int>?) {
    var reader = reader(text)
    #expect(reader.takeSwitch("gzip", orValue: Self.number) == level)
    _ = reader.take("other")
    #expect(reader.finish() == [])
  }

  @Test func `a switch with a wrong value is told like any other`() {
    var reader = reader("a: 9x\nb: [9]")
    #expect(reader.takeSwitch("a", orValue: Self.number) == nil)
    #expect(reader.takeSwitch("b", expecting: "a level", orValue: Self.number) == nil)
    #expect(
      reader.finish().map(\.description) == [
        #"f:1:4: a: "9x": expected a number"#, "f:2:4: b: a list: expected a level",
      ])
  }

  @Test(arguments: [
    ("number: 5x", #"f:1:9: number: "5x": expected a number"#),
    ("number:", "f:1:8: number: no value: expected a count"),
    ("number: ''", #"f:1:9: number: "": expected a number"#),
    ("number: [5]", "f:1:9: number: a list: expected a count"),
    ("number:\n  a: 5", "f:2:3: number: a mapping: expected a count"),
    ("switch: maybe", #"f:1:9: switch: "maybe": expected yes or no, true or false, on or off"#),
    ("switch: ''", #"f:1:9: switch: "": expected yes or no, true or false, on or off"#),
    ("switch: [a]", "f:1:9: switch: a list: expected yes or no, true or false, on or off"),
    ("list: [1, x, 3]", #"f:1:11: list: "x": expected a number"#),
    ("list: [1, {}]", "f:1:11: list: a mapping: expected a text"),
    ("list:\n  -", "f:2:4: list: no value: expected a text"),
    ("part: 5", #"f:1:7: part: "5": expected a mapping, as in "key: value""#),
    ("part:", #"f:1:6: part: no value: expected a mapping, as in "key: value""#),
    ("part: {innr: 5}", "f:1:8: innr: no such setting: did you mean inner?"),
    ("parts: [{inner: x}, 7]", #"f:1:21: parts: "7": expected a mapping, as in "key: value""#),
    ("names: [a]", "f:1:8: names: a list: expected a mapping of names to settings"),
    ("names: {a: 5}", #"f:1:12: a: "5": expected a mapping, as in "key: value""#),
    ("numbr: 5", "f:1:1: numbr: no such setting: did you mean number?"),
    ("pat: 5", "f:1:1: pat: no such setting: did you mean part?"),
    (
      "frobnicate: 5",
      "f:1:1: frobnicate: no such setting: expected one of number, switch, list, part, parts, names"
    ),
    ("[a]", #"f:1:1: a list: expected a mapping, as in "key: value""#),
    ("# nothing", #"f:1:1: no value: expected a mapping, as in "key: value""#),
  ])
  func `a mistake is told with its place`(_ text: String, _ message: String) {
    #expect(mistakes(of: text) == [message])
  }

  private func mistakes(of text: String) -> [String] {
    var reader = reader(text)
    _ = reader.take("number", expecting: "a count", Self.number)
    _ = reader.takeSwitch("switch")
    _ = reader.takeList("list", Self.number)
    _ = reader.takeMapping("part") { $0.take("inner") }
    _ = reader.takeMappings("parts") { $0.take("inner") }
    _ = reader.takeNamedMappings("names") { _, reader in reader.take("inner") }
    return reader.finish().map(\.description)
  }

  @Test func `lists and names of mappings are read one by one`() {
    var reader = reader("several: [{a: 1}, {a: 2}]\nsingle: {a: 3}\nnamed: {x: {a: 4}, y: {a: 5}}")
    #expect(reader.takeMappings("several") { $0.take("a") } == ["1", "2"])
    #expect(reader.takeMappings("single") { $0.take("a") } == ["3"])
    #expect(reader.takeNamedMappings("named") { "\($0) \($1.take("a") ?? "")" } == ["x 4", "y 5"])
    #expect(reader.finish() == [])
  }

  @Test(arguments: [
    (#""5x" is not a time: expected 15m"#, #"f:1:4: a: "5x" is not a time: expected 15m"#),
    (#"--a: "5x" is not a time"#, #"f:1:4: a: "5x" is not a time"#),
    ("too short", #"f:1:4: a: "5x": too short"#),
  ])
  func `what an option's reader says is told once`(_ words: String, _ message: String) {
    var reader = reader("a: 5x")
    let value: Int? = reader.take("a") { _ throws(ValueError) in throw ValueError(description: words) }
    #expect(value == nil)
    #expect(reader.finish().map(\.description) == [message])
  }

  @Test func `a text for a message is cut and escaped`() {
    let long = String(repeating: "x", count: 200)
    var reader = reader("a: \"\\e\(long)\"")
    let value: Int? = reader.take("a") { text throws(ValueError) in
      throw ValueError(description: "\"\(text)\" is bad")
    }
    #expect(value == nil)
    #expect(reader.finish().map(\.description) == ["f:1:4: a: \"\\x1b\(long.prefix(79))…\" is bad"])
  }

  @Test func `every mistake is told at once, in order of place`() {
    let text = """
      part:
        innr: 1
        inner: &x 2
      numbr: 4
      number: five
      switch: maybe
      number: 6
      names:
        a: {inner: []}
        b: {outer: 1}
      list: [x, 1, y]
      """
    #expect(
      mistakes(of: text) == [
        "f:2:3: innr: no such setting: did you mean inner?",
        #"f:3:10: the anchor "&x": expected the value alone"#,
        "f:4:1: numbr: no such setting: did you mean number?",
        #"f:5:9: number: "five": expected a number"#,
        #"f:6:9: switch: "maybe": expected yes or no, true or false, on or off"#,
        "f:7:1: number: a second time: expected it only once, as in line 5",
        "f:9:14: inner: a list: expected a text",
        "f:10:7: outer: no such setting: expected inner",
        #"f:11:8: list: "x": expected a number"#,
        #"f:11:14: list: "y": expected a number"#,
      ])
  }

  @Test func `the mistakes of several outputs name what is meant`() {
    var reader = reader(
      """
      outputs:
        all:
          file: /var/log/access.log
          keep: 30 days
          symlnk: /var/log/current
        errors:
          file: [a, b]
          gzip: fast
          keep:
      """)
    reader.takeNamedMappings("outputs") { _, output in
      for key in ["file", "symlink"] { _ = output.take(key) }
      _ = output.take("keep", expecting: "a number", Self.number)
      _ = output.takeSwitch("gzip", orValue: Self.number)
    }
    #expect(
      reader.finish().map(\.description) == [
        #"f:4:11: keep: "30 days": expected a number"#,
        "f:5:5: symlnk: no such setting: did you mean symlink?",
        "f:7:11: file: a list: expected a text",
        #"f:8:11: gzip: "fast": expected a number"#,
        "f:9:10: keep: no value: expected a number",
      ])
  }

  @Test func `a file that can't be read is a mistake, and no setting is called missing`() {
    var reader = reader("a: [b")
    #expect(reader.take("a") == nil)
    reader.report("file", found: "no value", expected: "a path")
    #expect(reader.finish().map { $0.place.column } == [6])
  }

  @Test func `mistakes of the caller's stand with the others`() {
    var reader = reader("x: {spool-disk: 1G}\nz: 1")
    reader.takeMapping("x") { inner in
      _ = inner.take("spool-disk")
      inner.report("spool-disk", found: "no spool-dir beside it", expected: "one")
      inner.report("file", found: "no value", expected: "a path")
    }
    #expect(
      reader.finish().map(\.description) == [
        "f:1:4: file: no value: expected a path",
        "f:1:17: spool-disk: no spool-dir beside it: expected one",
        "f:2:1: z: no such setting: did you mean x?",
      ])
  }

  @Test func `an option's text is read the same way`() {
    var reader = SettingsReader(OutputText.read("numbr=1 number=five gzip switch=off"))
    #expect(reader.take("number", Self.number) == nil)
    #expect(reader.takeSwitch("gzip") == true)
    #expect(reader.takeSwitch("switch") == false)
    #expect(
      reader.finish().map(\.description) == [
        "--output, column 1: numbr: no such setting: did you mean number?",
        #"--output, column 16: number: "five": expected a number"#,
      ])
  }
}
