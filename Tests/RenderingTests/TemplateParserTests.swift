import VarnishLog
@testable import Rendering
import Testing

@Suite("Template files")
struct TemplateParserTests {
  private func parse(_ text: String) throws(TemplateError) -> Template {
    try parse(Array(text.utf8))
  }

  private func parse(_ bytes: [UInt8]) throws(TemplateError) -> Template {
    try Template(parsing: bytes, name: "test", origin: .file("test.format"))
  }

  private func line(_ template: Template) throws -> String {
    var records = TemplateRecords()
    records.add(.reqMethod, "GET")
    records.add(.respStatus, "200")
    let format = try template.lineFormat(rules: .natural(for: .v73))
    return String(decoding: records.output(of: format), as: UTF8.self)
  }

  @Test("need nothing but a format")
  func minimal() throws {
    let template = try parse("format: %m %h %%")
    #expect(try line(template) == "GET - %\n")
    #expect(template.summary == "")
    #expect(template.side == .client)
    #expect(template.headerLines.isEmpty)
    #expect(template.check().isEmpty)
  }

  @Test("say everything about their format")
  func everything() throws {
    let template = try parse(
      """
      # a comment

      summary:   Two words
      side: both
      escape: tsv
      missing: (none)
      missing-number: 0
      header: #one\\ttwo
      header: back\\\\slash
      join: tab
      format:
        %m  \t
      # a comment in the midst of it

          %h
        %b%s
      """)
    #expect(template.summary == "Two words")
    #expect(template.side == .both)
    #expect(template.headerLines == [Array("#one\ttwo".utf8), Array("back\\slash".utf8)])
    #expect(try line(template) == "GET\t(none)\t0200\n")
  }

  @Test(
    "may come from other systems",
    arguments: ["\u{FEFF}format:\r\n  %m\r\n  %s\r\n", "format: %m\n  %s", "\u{FEFF}format:%m%s"])
  func lineEnds(text: String) throws {
    #expect(try line(parse(text)) == "GET200\n")
  }

  @Test(
    "are refused with the line that is wrong",
    arguments: [
      ("", nil, TemplateError.Reason.noFormat),
      ("format:\n", nil, .noFormat),
      ("format: %m\nnonsense", 2, .strayLine("nonsense")),
      ("format: %m\nfoo bar: 1", 2, .strayLine("foo bar: 1")),
      ("\n  %m", 2, .strayIndent("%m")),
      ("summary: x\n  %m", 2, .strayIndent("%m")),
      ("colour: red\nformat: %m", 1, .unknownKey("colour")),
      ("format: %m\nformat: %s", 2, .repeatedKey("format")),
      (
        "format: %m\nescape: html", 2,
        .badValue(
          key: "escape", found: "html",
          expected: "one of ncsa, json, tsv, csv, logfmt, w3c, url, columns, none")
      ),
      (
        "side: left\nformat: %m", 1,
        .badValue(key: "side", found: "left", expected: "one of client, backend, both")
      ),
      (
        "join: comma\nformat: %m", 1,
        .badValue(key: "join", found: "comma", expected: "one of none, space, tab")
      ),
      (
        "header: a\\nb\nformat: %m", 1,
        .badValue(key: "header", found: "a\\nb", expected: "no backslash but in \\t and \\\\")
      ),
      (
        "escape: json\nmissing: \"\nformat: \"%m\"", 2,
        .badValue(key: "missing", found: "\"", expected: "text that needs no escaping")
      ),
      (
        "escape: json\nmissing-number: -\nformat: %s", 2,
        .badValue(key: "missing-number", found: "-", expected: "a number or null")
      ),
      (
        "escape: w3c\nmissing:\nformat: %m", 2,
        .badValue(key: "missing", found: "", expected: "text that needs no escaping")
      ),
      (
        "escape: csv\nmissing-number: 1,2\nformat: %s", 2,
        .badValue(key: "missing-number", found: "1,2", expected: "text that needs no escaping")
      ),
      ("summary: \u{1B}[31m\nformat: %m", 1, .controlCharacter(0x1B)),
      ("format: %m\n\u{0}", 2, .controlCharacter(0)),
      ("format: %m\u{7F}", 1, .controlCharacter(0x7F)),
      ("summary: a\rb\nformat: %m", 1, .controlCharacter(0x0D)),
      ("# x\nformat: %m %z", 2, .format(.unknownSpecifier("%z"))),
      ("format: %{Spillway:colour}x", 1, .format(.unknownExtension("Spillway:colour"))),
      ("format: %{Spillway:port:http}x", 1, .format(.unknownExtension("Spillway:port:http"))),
      ("format: %{VSL:Nothing}x", 1, .format(.unknownTag("Nothing"))),
      ("escape: json\nformat: {\"a\":%m}", 2, .unquotedValue),
      ("escape: json\nformat: {\"a\":%u}", 2, .unquotedValue),
      ("escape: json\nformat: {\"a\":%t}", 2, .unquotedValue),
      ("escape: json\nformat: {\"a\":%{usec_frac}t}", 2, .unquotedValue),
      ("escape: json\nformat: {\"a\\\\\\\\\":%h}", 2, .unquotedValue),
      ("escape: json\nformat: {\"a\\\\\":%h}", 2, .openString),
      ("escape: json\nformat: {\"a\":\"%m}", 2, .openString),
      ("escape: csv\nformat: %m,%U%q", 2, .mixedField("csv")),
      ("escape: csv\nformat: \"%m\",%s", 2, .mixedField("csv")),
      ("escape: logfmt\nformat: a=%U%q", 2, .mixedField("logfmt")),
      ("escape: logfmt\nformat: a=%m/%s", 2, .mixedField("logfmt")),
      ("escape: logfmt\nformat: a=%r", 2, .compoundValue("logfmt")),
      ("escape: w3c\nformat: %h %r", 2, .compoundValue("w3c")),
      ("format: %m\nexample: a\n  c Begin req 1 rxreq", 2, .unpairedExample(missing: "expect")),
      ("format: %m\nexample: a\nexample: b\nexpect:", 2, .unpairedExample(missing: "expect")),
      ("format: %m\nexpect: a", 2, .unpairedExample(missing: "example")),
      ("format: %m\nexample:\nexpect:\nexpect:", 4, .unpairedExample(missing: "example")),
      (
        "format: %m\nexample:\n  x Begin req 1 rxreq\nexpect:", 3,
        .badRecord(
          found: "x Begin req 1 rxreq", expected: "a record: c, b or -, a tag, its payload")
      ),
      (
        "format: %m\nexample:\n  c Begun req 1 rxreq\nexpect:", 3,
        .badRecord(found: "c Begun req 1 rxreq", expected: "a tag's full name, such as ReqMethod")
      ),
      (
        "format: %m\nexample:\n  c ReqMeth GET\nexpect:", 3,
        .badRecord(found: "c ReqMeth GET", expected: "a tag's full name, such as ReqMethod")
      ),
      (
        "format: %m\nexample:\n  c ReqMethod GET\nexpect:", 3,
        .badRecord(found: "c ReqMethod GET", expected: "a Begin first")
      ),
      (
        "format: %m\nexample:\n  c Begin req 1 rxreq\n  c ReqMethod \\x1\nexpect:", 4,
        .badRecord(
          found: "c ReqMethod \\x1",
          expected: "no backslash but in \\\\, \\n, \\r, \\t, \\0 and \\xNN")
      ),
    ] as [(String, Int?, TemplateError.Reason)])
  func errors(text: String, line: Int?, reason: TemplateError.Reason) throws {
    let error = #expect(throws: TemplateError.self) { _ = try parse(text) }
    #expect(error == TemplateError(place: "test.format", line: line, reason: reason))
    #expect(error?.description.contains("\n") == false)
  }

  @Test("are refused if they are no text")
  func notText() {
    let error = #expect(throws: TemplateError.self) {
      _ = try parse(Array("summary: ".utf8) + [0xFF, 0x0A])
    }
    #expect(error?.description == "test.format:1: bytes that are not UTF-8; expected text")
  }

  @Test("are refused beyond a megabyte, and read up to it")
  func length() throws {
    let format = Array("format: ".utf8)
    let fitting =
      format + Array(repeating: UInt8(ascii: "x"), count: Template.byteCountMax - format.count)
    #expect(try line(parse(fitting)).utf8.count == Template.byteCountMax - format.count + 1)
    let error = #expect(throws: TemplateError.self) { _ = try parse(fitting + [0x0A]) }
    #expect(error?.reason == .tooLong)
  }

  @Test("say in one clear line what was found and what was expected")
  func message() {
    let error = #expect(throws: TemplateError.self) { _ = try parse("format: %m\nsides: both") }
    #expect(
      error?.description
        == "test.format:2: found 'sides:'; expected one of summary, side, escape, missing, "
        + "missing-number, header, join, format, example, expect")
  }

  @Test("that were damaged at random are read or refused, never worse")
  func damaged() throws {
    var random = SystemRandomNumberGenerator()
    let seed = random.next()
    var generator = TemplateTestGenerator(state: seed)
    let sources = try BuiltinTemplates.names.map {
      try TemplateLibrary(directories: []).template($0).source
    }
    var read = 0
    for _ in 0..<300 {
      guard var bytes = sources.randomElement(using: &generator) else { return }
      for _ in 0..<Int.random(in: 1...3, using: &generator) {
        let at = Int.random(in: 0..<bytes.count, using: &generator)
        switch Int.random(in: 0..<4, using: &generator) {
        case 0: bytes[at] = UInt8.random(in: 0...255, using: &generator)
        case 1: bytes.remove(at: at)
        case 2:
          bytes.insert(contentsOf: Array("%{\"\\:\n ".utf8).shuffled(using: &generator), at: at)
        default: bytes.removeSubrange(at..<min(bytes.count, at + 40))
        }
      }
      do {
        let template = try parse(bytes)
        _ = template.check()
        read += 1
      } catch {
        #expect(error.description.hasPrefix("test.format"), "seed \(seed)")
      }
    }
    // Most damage is within values, where it does no harm.
    #expect(read > 10, "seed \(seed)")
  }
}

/// Random numbers that are the same for the same seed.
struct TemplateTestGenerator: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
    return mixed ^ mixed >> 31
  }
}
