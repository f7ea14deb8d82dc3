import Settings
import TestSupport
import Testing

struct OutputTextTests {
  @Test func `words are settings, in the notation of the manual`() {
    let text =
      #"file=/var/log/access.log format=json query="RespStatus >= 500" side=client rotate-every=1h gzip keep=30"#
    let parsed = OutputText.read(text)
    #expect(parsed.mistakes == [])
    #expect(
      parsed.node?.outline == #"1:1 {1:1 file=1:6 "/var/log/access.log", 1:26 format=1:33 "json", "#
        + #"1:38 query=1:44 "RespStatus >= 500", 1:64 side=1:69 "client", 1:76 rotate-every=1:89 "1h", "#
        + #"1:92 gzip=1:96 nothing, 1:97 keep=1:102 "30"}"#)
  }

  @Test(arguments: [
    (#"a=b"#, "b"), (#"a="b c""#, "b c"), (#"a='b c'"#, "b c"), (#"a="\"\\""#, #""\"#), (#"a='\"'"#, #"\""#),
    (#"a="\.php$""#, #"\.php$"#), (#"a=\.php$"#, #"\.php$"#), (#"a=x"y z"'w v'u"#, "xy zw vu"), ("a=", ""),
    (#"a="""#, ""), ("a=b=c", "b=c"), ("a='it'\"'\"'s'", "it's"), ("\t a=b \r\n", "b"), (#"a="b'c""#, "b'c"),
    ("a='b\nc'", "b\nc"), (#"a=\"b c""#, #"\b c"#),
  ])
  func `quotation marks keep what they enclose together`(_ text: String, _ value: String) {
    #expect(OutputText.read(text).node?.text("a") == value)
    #expect(OutputText.read(text).mistakes == [])
  }

  @Test(arguments: [
    (
      #"file=a query="b c"#,
      #"--output, column 14: query: a quotation mark (") that is never closed: expected another one"#
    ),
    ("file=a'b", "--output, column 7: file: a quotation mark (') that is never closed: expected another one"),
    (#"a="b\""#, #"--output, column 3: a: a quotation mark (") that is never closed: expected another one"#),
    ("a=b =c", #"--output, column 5: "=" without a key: expected key=value"#),
    ("a=b\ta=c", "--output, column 5: a: a second time: expected it only once, as in column 1"),
    ("a a", "--output, column 3: a: a second time: expected it only once, as in column 1"),
    (
      #""file=a b" c"#,
      #"--output, column 1: a quotation mark in a key: expected quotation marks only behind "=""#
    ),
  ])
  func `a mistake is told with its column`(_ text: String, _ message: String) {
    #expect(OutputText.read(text).mistakes.map(\.description) == [message])
  }

  @Test func `all mistakes are told at once`() {
    let parsed = OutputText.read(#"=x a=1 "b c"=2 a=3 d='e"#, option: "--extra")
    #expect(
      parsed.mistakes.map(\.description) == [
        #"--extra, column 1: "=" without a key: expected key=value"#,
        #"--extra, column 8: a quotation mark in a key: expected quotation marks only behind "=""#,
        "--extra, column 16: a: a second time: expected it only once, as in column 4",
        "--extra, column 22: d: a quotation mark (') that is never closed: expected another one",
      ])
    #expect(parsed.node == nil)
  }

  @Test func `a text that isn't closed in a key says so, too`() {
    #expect(
      OutputText.read(#""a b"#).mistakes.map(\.description) == [
        #"--output, column 1: a quotation mark in a key: expected quotation marks only behind "=""#,
        #"--output, column 1: a quotation mark (") that is never closed: expected another one"#,
      ])
  }

  @Test func `what is quoted is read as it was`() {
    var random = SeededGenerator(seed: 11)
    let alphabet = Array(" \t\n\"'\\=ab:é🎈".unicodeScalars)
    for _ in 0..<2000 {
      let values = (0..<3).map { _ in
        var text = String.UnicodeScalarView()
        for _ in 0..<Int.random(in: 0...8, using: &random) {
          text.append(alphabet.randomElement(using: &random) ?? "x")
        }
        return String(text)
      }
      let written = values.enumerated().map { "k\($0)=\(OutputText.quoted($1))" }.joined(separator: " ")
      let parsed = OutputText.read(written)
      #expect(parsed.mistakes == [], "\(random): \(written)")
      #expect((0..<3).map { parsed.node?.text("k\($0)") } == values, "\(random): \(written)")
    }
  }

  @Test func `nothing is a mapping without settings`() {
    #expect(OutputText.read(" ").node?.outline == "1:1 {}")
  }
}
