import TestSupport
import Testing
import VarnishLog

/// Which part of a record a query compares.
struct TextTests {
  private static let texts: [String] = [
    "a: x", "a:x", "A:x", "a :x", "ab:x", ":x", ": x y", "a", "a:", "a: ", "a:\t\n\u{0B}x", "a:x ",
    #"a: "x y" z"#, #"a: "x" y"#, #"a: "x"y z"#, #"a: "x"#, #"a: x"y z" w"#, "a: \"x\"\ty",
    "a b:x", "a  b", "", " ", "  b", #""x" "y""#, #""x""y" z"#, #"""#, "caf\u{e9}", "a\nb", "b\n",
    "a\u{0}b", "b", "a\u{0}b c", "\u{0}b", "b \u{0}c", "a: x\u{0} y", "\"x\u{0}y\" z",
  ]

  private static let queries = [
    "VCL_Log", "VCL_Log:a", "VCL_Log:A eq x", #"VCL_Log:"""#, #"VCL_Log:"" eq x"#,
    #"VCL_Log:a eq """#, "VCL_Log:a[1]", "VCL_Log:a[1] eq x", #"VCL_Log:a[1] eq "x y""#,
    "VCL_Log:a[2]", "VCL_Log:a[2] eq z", "VCL_Log:a[2] eq y", #"VCL_Log:a[2] eq 'z"'"#,
    "VCL_Log:a[3]", #"VCL_Log:"a b""#, #"VCL_Log[1] eq "a:x""#, "VCL_Log[1]", "VCL_Log[2]",
    "VCL_Log[2] eq y", "VCL_Log[3]", #"VCL_Log eq "A:X""#, #"VCL_Log eq """#, #"VCL_Log eq " ""#,
    #"VCL_Log ~ "(*UTF)caf""#, #"VCL_Log ~ "(*UTF)zzz""#, #"VCL_Log !~ "(*UTF)zzz""#,
    "VCL_Log ~ a.b", #"VCL_Log ~ "b$""#, #"VCL_Log ~ "^$""#,
    #"VCL_Log ~ "b\\z""#, #"VCL_Log ~ "\\xc3\\xa9$""#, #"VCL_Log ~ "A\\x00B""#,
    #"VCL_Log ne "b""#, #"VCL_Log !~ "b""#,
  ]

  @Test(.needs(.reference), arguments: queries, [false, true])
  func `selects what varnishncsa selects`(_ query: String, isCaseless: Bool) throws {
    let log = SampleLog(texts: Self.texts.map { Array($0.utf8) })
    let result = try Reference(log).run(["-q", query] + (isCaseless ? ["-C"] : []))
    #expect(result.status == 0)
    let matches = try log.matches(query, caseless: isCaseless)
    #expect(matches.map { "\($0)\n" }.joined() == result.text)
  }

  private static func selected(
    _ query: String, of texts: [String], _ version: VarnishVersion = VarnishVersion(7, 1)
  ) throws -> [String] {
    let log = SampleLog(texts: texts.map { Array($0.utf8) })
    return try log.matches(query, version: version).map { texts[Int($0 - 2) / 2] }
  }

  @Test func `a prefix stands right before its colon, in any case of letters`() throws {
    let texts = ["a: x", "A:x", "a :x", "ab:x", "a", "a: ", "x a: x"]
    #expect(try Self.selected("VCL_Log:a", of: texts) == ["a: x", "A:x", "a: "])
    #expect(try Self.selected("VCL_Log:a eq x", of: texts) == ["a: x", "A:x"])
  }

  @Test func `a field in quotation marks may have blanks in it`() throws {
    let texts = [#""x y" z"#, #""x y"z"#, #""x y"#, #""x" y"#, "x y z"]
    #expect(try Self.selected(#"VCL_Log[1] eq "x y""#, of: texts) == [texts[0], texts[1]])
    #expect(try Self.selected("VCL_Log[2] eq z", of: texts) == [texts[0]])
    #expect(try Self.selected("VCL_Log[1]", of: texts) == [texts[0], texts[1], texts[3], texts[4]])
  }

  /// The reference ends itself by an assertion here.
  @Test func `an empty field in quotation marks is a field`() throws {
    #expect(try Self.selected("VCL_Log[2] eq x", of: [#""" x"#, #"""x"#, #""""#]) == [#""" x"#])
  }

  @Test func `up to 6.3 a quotation mark is a byte like any other`() throws {
    let texts = [#""x y" z"#, "x y z"]
    #expect(try Self.selected(#"VCL_Log[2] eq 'y"'"#, of: texts, VarnishVersion(6, 3)) == [texts[0]])
    #expect(try Self.selected("VCL_Log[2] eq z", of: texts, VarnishVersion(6, 4)) == [texts[0]])
  }

  @Test func `a record without a NUL at its end loses its last byte`() throws {
    var file = LogFileBuilder()
    file.add(2, .client, "Begin", "req 1 rxreq")
    let bytes = Array("abc".utf8)
    file.add(SampleRecord(2, .client, tag: file.tags["VCL_Log"], bytes: bytes, terminated: false))
    file.add(SampleRecord(2, .client, tag: file.tags["Debug"], bytes: [], terminated: false))
    file.add(2, .client, "End")
    let log = SampleLog(file: file.bytes, tags: TagTable(.v41))
    #expect(try log.matches("VCL_Log eq ab") == [2])
    #expect(try log.matches("Debug eq ''") == [2])
  }

  @Test func `fields end at a NUL, or with the record`() throws {
    let texts = ["a\u{0}b c", "a b", "a b\u{0}c", "\u{0}a b"]
    #expect(try Self.selected("VCL_Log[1] eq a", of: texts) == [texts[0], texts[1], texts[2]])
    #expect(try Self.selected("VCL_Log[2] eq b", of: texts) == [texts[1], texts[2]])
    var file = LogFileBuilder(lines: "2 c Begin req 1 rxreq")
    let bytes = Array("abc".utf8)
    file.add(SampleRecord(2, .client, tag: file.tags["VCL_Log"], bytes: bytes, terminated: false))
    file.add(lines: "2 c End")
    #expect(try SampleLog(file: file.bytes, tags: TagTable(.v41)).matches("VCL_Log[1] eq abc") == [2])
  }

  @Test func `a text that is too much for a pattern matches`() throws {
    let texts = [10, 1000].map { String(repeating: "a", count: $0) }
    #expect(try Self.selected(#"VCL_Log ~ "^([a-z]+)+[0-9]$""#, of: texts) == [texts[1]])
    #expect(try Self.selected(#"VCL_Log !~ "^([a-z]+)+[0-9]$""#, of: texts) == [texts[0]])
  }
}
