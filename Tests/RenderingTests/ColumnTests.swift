import VarnishLog
@testable import Rendering
import Testing

@Suite("Columns with blanks between them")
struct ColumnTests {
  private static func line(_ format: String, _ records: TemplateRecords) throws -> String {
    let template = try Template(
      parsing: Array("escape: columns\nformat: \(format)".utf8), name: "test", origin: .file("test"))
    let output = records.output(of: try template.lineFormat(rules: .natural(for: .v73)))
    return String(decoding: output.dropLast(), as: UTF8.self)
  }

  private static func header(_ value: String) -> TemplateRecords {
    var records = TemplateRecords()
    records.add(.reqHeader, "A: \(value)")
    return records
  }

  @Test(
    "a value is escaped as its place asks for",
    arguments: [
      // The value as it is; as a column; alone in quotation marks; as a word within quotation marks.
      ("plain", "plain", "plain", "plain"),
      ("a b", #"a\x20b"#, "a b", #"a\x20b"#),
      ("x [y]", #"x\x20\x5By\x5D"#, "x [y]", #"x\x20[y]"#),
      ("#c", #"\x23c"#, "#c", "#c"),
      (#"a"b"#, #"a\x22b"#, #"a\x22b"#, #"a\x22b"#),
      (#"a\"#, #"a\x5C"#, #"a\x5C"#, #"a\x5C"#),
      ("a\nb\tc", #"a\x0Ab\x09c"#, #"a\x0Ab\x09c"#, #"a\x0Ab\x09c"#),
      ("é", #"\xC3\xA9"#, #"\xC3\xA9"#, #"\xC3\xA9"#),
      ("a/b", "a/b", "a/b", "a/b"),
      ("", "-", "-", "-"),
      (
        "a quite long value with blanks and \" in it",
        #"a\x20quite\x20long\x20value\x20with\x20blanks\x20and\x20\x22\x20in\x20it"#,
        #"a quite long value with blanks and \x22 in it"#,
        #"a\x20quite\x20long\x20value\x20with\x20blanks\x20and\x20\x22\x20in\x20it"#
      ),
    ])
  func places(value: String, bare: String, quoted: String, word: String) throws {
    let line = try Self.line(#"%{A}i "%{A}i" "x %{A}i y" "<%{A}i>""#, Self.header(value))
    #expect(line == #"\#(bare) "\#(quoted)" "x \#(word) y" "<\#(quoted)>""#)
  }

  @Test("what is missing is a dash in every place")
  func missing() throws {
    #expect(
      try Self.line(
        #"%{A}i "%{A}i" "%m %U%q %H" %u %s %b %{Spillway:host}x:%{Spillway:port}x"#, TemplateRecords())
        == #"- "-" "- - HTTP/1.0" - - - -:-"#)
  }

  @Test(
    "a user's name has neither blanks, brackets nor slashes",
    arguments: [
      ("YSBiIFtjXS9k", #"a\x20b\x20\x5Bc\x5D\x2Fd"#), ("OnB3", "-"), ("I3g6cHc=", #"\x23x"#),
      ("YW5uOnB3", "ann"), ("Ig==", #"\x22"#),
    ])
  func users(token: String, expected: String) throws {
    var records = TemplateRecords()
    records.add(.reqHeader, "Authorization: Basic \(token)")
    #expect(try Self.line("%u x", records) == "\(expected) x")
  }

  @Test("numbers and the protocol are what they must be, or missing")
  func fields() throws {
    var records = TemplateRecords()
    records.add(.respStatus, "200 [x]")
    records.add(.reqProtocol, "HTTP/1.1\" 200 5")
    records.add(.reqAcct, "1 2 0x3 4 -5 6")
    records.add(.reqHeader, "Host: a 203.0.113.66 - - [01/Jan/2020:00:00:00 +0000]")
    records.add(.reqStart, "192.0.2.7 70000 a0")
    #expect(
      try Self.line(
        #"%s %I %b %O "%H" %{Spillway:host}x:%{Spillway:port:80}x %{Spillway:client_port}x"#, records)
        == #"- - -5 6 "HTTP/1.0" -:80 -"#)
    for name in ["HTTP/1.1", "HTTP/2.0", "HTTP/2"] {
      var records = TemplateRecords()
      records.add(.reqProtocol, name)
      records.add(.reqStart, "192.0.2.7 51234 a0")
      #expect(try Self.line("%H %{Spillway:client_port}x", records) == "\(name) 51234")
    }
  }

  @Test("an address of IPv6 as host is missing, as its colons would be taken for the port's")
  func addresses() throws {
    var records = TemplateRecords()
    records.add(.reqHeader, "Host: [2001:db8::1]:8080")
    #expect(try Self.line("%{Spillway:host}x:%{Spillway:port:80}x", records) == "-:80")
  }

  @Test(
    "the number of columns is the same for every value",
    arguments: ["vhost_combined", "nginx", "goaccess", "awstats"])
  func count(name: String) throws {
    let template = try TemplateLibrary(directories: []).template(name)
    let format = try template.lineFormat(rules: .natural(for: .v73))
    let usual = Self.columns(TemplateRecords().output(of: format))
    #expect(usual.count >= 9)
    for value in TemplateRecords.hostileValues {
      let line = TemplateRecords.hostile(value).output(of: format)
      #expect(line.first != UInt8(ascii: "#"))
      #expect(line.filter { $0 == 0x0A }.count == 1)
      let columns = Self.columns(line)
      #expect(columns.count == usual.count, "\(String(decoding: line, as: UTF8.self))")
      #expect(columns.allSatisfy { !$0.isEmpty })
      let request = columns.first { $0.first == UInt8(ascii: "\"") } ?? []
      #expect(request.filter { $0 == 0x20 }.count == 2)
    }
  }

  /// Splits a line as programs do that know quotation marks and brackets, but no backslashes.
  private static func columns(_ line: [UInt8]) -> [[UInt8]] {
    var columns: [[UInt8]] = [[]]
    var closing: UInt8?
    for byte in line.dropLast() {
      if byte == 0x20, closing == nil {
        columns.append([])
        continue
      }
      columns[columns.count - 1].append(byte)
      if byte == closing {
        closing = nil
      } else if closing == nil, columns[columns.count - 1].count == 1 {
        closing = byte == UInt8(ascii: "\"") ? byte : byte == UInt8(ascii: "[") ? UInt8(ascii: "]") : nil
      }
    }
    return closing == nil ? columns : []
  }

  @Test(
    "formats that can't keep columns apart are refused",
    arguments: [("%h \"%m", "a quotation mark is not closed"), ("\"%r\"", "found %r")])
  func refused(format: String, message: String) {
    let error = #expect(throws: TemplateError.self) {
      _ = try Template(
        parsing: Array("escape: columns\nformat: \(format)".utf8), name: "test", origin: .file("test"))
    }
    #expect(error?.description.contains(message) == true)
  }

  @Test(
    "a template that lets a client forge columns is remarked on",
    arguments: [
      ("escape: ncsa\nformat: %h %u", true), ("escape: ncsa\nformat: \"%r\"", true),
      ("escape: ncsa\nformat: \"%m %U%q\"", true), ("escape: ncsa\nformat: %h %{A}i", true),
      ("escape: none\nformat: \"%{A}i\"", true), ("escape: ncsa\nformat: %h %s %t \"%{A}i\" \"%U%q\"", false),
      ("escape: columns\nformat: %h %u \"%m %U\"", false), ("escape: none\nformat: %s %D", false),
      ("escape: json\nformat: {\"a\":\"%u %U\"}", false),
    ])
  func remarks(text: String, isThere: Bool) throws {
    let template = try Template(parsing: Array(text.utf8), name: "test", origin: .file("test"))
    #expect((template.remark != nil) == isThere)
  }

  @Test(
    "a header that names another number of fields than there are columns fails the check",
    arguments: [("a b c", false), ("a b", true), ("a", false)])
  func headers(names: String, isRight: Bool) throws {
    let text = """
      escape: w3c
      header: #Fields: \(names)
      format: %h %{A}i
      example: one
        c Begin req 1 rxreq
        c Timestamp Start: 1700000000.000000 0.000000 0.000000
        c ReqStart 192.0.2.7 1 a0
        c ReqHeader A: x y
      expect:
        192.0.2.7 x+y

      """
    let template = try Template(parsing: Array(text.utf8), name: "test", origin: .file("test"))
    #expect(template.check().isEmpty == isRight)
  }

  @Test(
    "in W3C a backslash joins nothing and a name is one",
    arguments: [
      ("a\\", "a%5c"), ("#x", "%23x"), ("a b", "a+b"), ("a+b", "a%2bb"), ("%", "%25"), ("[a]", "[a]"),
      ("", "-"),
    ])
  func w3c(value: String, expected: String) throws {
    let template = try Template(
      parsing: Array("escape: w3c\nformat: %{A}i %u".utf8), name: "test", origin: .file("test"))
    var records = Self.header(value)
    records.add(.reqHeader, "Authorization: Basic YSBiIFtjXS9k")
    let output = records.output(of: try template.lineFormat(rules: .natural(for: .v73)))
    #expect(String(decoding: output, as: UTF8.self) == "\(expected) a+b+%5bc%5d%2fd\n")
  }

  @Test("in logfmt an empty value is missing, as some readers lose the rest behind one")
  func logfmt() throws {
    let template = try Template(
      parsing: Array("escape: logfmt\nformat: a=%{A}i s=%s".utf8), name: "test", origin: .file("test"))
    var records = Self.header("")
    records.add(.respStatus, "2 0")
    let output = records.output(of: try template.lineFormat(rules: .natural(for: .v73)))
    #expect(String(decoding: output, as: UTF8.self) == "a=- s=-\n")
  }
}
