import VarnishLog
import Foundation
@testable import Rendering
import Testing

@Suite("Whatever the log holds, a template's lines are valid")
struct TemplateValidityTests {
  private func template(_ text: String) throws -> LineFormat {
    let template = try Template(parsing: Array(text.utf8), name: "test", origin: .file("test"))
    return try template.lineFormat(rules: .natural(for: .v73))
  }

  private func line(_ format: LineFormat, _ records: TemplateRecords) throws -> String {
    try #require(String(validating: records.output(of: format), as: UTF8.self))
  }

  @Test("JSON parses, with the same members always", arguments: ["json", "ecs", "otel"])
  func json(name: String) throws {
    let template = try TemplateLibrary(directories: []).template(name)
    let format = try template.lineFormat(rules: .natural(for: .v73))
    let usual = try keys(TemplateRecords().output(of: format))
    #expect(usual.count > 3)
    for value in TemplateRecords.hostileValues {
      let output = TemplateRecords.hostile(value).output(of: format)
      #expect(output.filter { $0 == 0x0A }.count == 1)
      #expect(try keys(output) == usual, "\(value.prefix(40))")
    }
  }

  private func keys(_ output: [UInt8]) throws -> Set<String> {
    let object = try JSONSerialization.jsonObject(with: Data(output)) as? [String: Any]
    return Set(try #require(object).keys)
  }

  @Test("a JSON string that is missing is null, part of one is nothing")
  func missingInJSON() throws {
    let format = try template(
      "escape: json\nformat: {\"a\":\"%{A}i\",\"b\":\"x%{A}i\",\"c\":%{A}i,\"d\":[\"%u\"]}")
    #expect(
      try line(format, TemplateRecords()) == #"{"a":null,"b":"x","c":null,"d":[null]}"# + "\n")
    var records = TemplateRecords()
    records.add(.reqHeader, "A: 12")
    #expect(try line(format, records) == #"{"a":"12","b":"x12","c":12,"d":[null]}"# + "\n")
    var empty = TemplateRecords()
    empty.add(.reqHeader, "A:")
    #expect(try line(format, empty) == #"{"a":"","b":"x","c":null,"d":[null]}"# + "\n")
  }

  @Test("a name in JSON that is missing is empty, since it can't be null")
  func missingName() throws {
    let format = try template("escape: json\nformat: {\"%{A}i\":1,\"%h\" \\t:\"%u\"}")
    #expect(try line(format, TemplateRecords()) == "{\"\":1,\"\" \t:null}\n")
    var records = TemplateRecords()
    records.add(.reqHeader, "A: 12")
    #expect(try line(format, records) == "{\"12\":1,\"\" \t:null}\n")
  }

  @Test("what is missing in JSON may be something else than null")
  func missingText() throws {
    let format = try template(
      "escape: json\nmissing: none\nmissing-number: -1\n"
        + #"format: {"a":"%{A}i","b":%s,"c":%{A}i}"#
    )
    #expect(try line(format, TemplateRecords()) == #"{"a":"none","b":-1,"c":-1}"# + "\n")
  }

  @Test(
    "only numbers stand outside of JSON strings",
    arguments: [
      ("12", "12"), ("-3.50", "-3.50"), ("0", "0"), ("007", "null"), ("1.", "null"), ("+1", "null"),
      ("1,\"x\":2", "null"), ("null", "null"), ("0x10", "null"), ("", "null"), ("1 2", "null"),
    ])
  func bareNumbers(value: String, expected: String) throws {
    var records = TemplateRecords()
    records.add(.respStatus, value)
    records.add(.respHeader, "Age: \(value)")
    let format = try template("escape: json\nformat: [%s,%{Age}o]")
    #expect(try line(format, records) == "[\(expected),\(expected)]\n")
  }

  @Test("a start at the zero of all clocks is a JSON number")
  func zeroTime() throws {
    var records = TemplateRecords()
    records.records[1].payload = Array("Start: 0.000000 0.000000 0.000000".utf8)
    let format = try template("escape: json\nformat: [%{Spillway:time_ns}x,%{Spillway:duration}x]")
    #expect(try line(format, records) == "[0,0.000000]\n")
  }

  @Test("logfmt has each key once, and quoted values close")
  func logfmt() throws {
    let template = try TemplateLibrary(directories: []).template("logfmt")
    let format = try template.lineFormat(rules: .natural(for: .v73))
    let keys = [
      "ts", "level", "msg", "method", "host", "path", "query", "status", "bytes", "dur", "handling",
      "client", "user", "ua", "referer",
    ]
    for value in TemplateRecords.hostileValues {
      let text = try line(format, .hostile(value))
      #expect(try Self.logfmtKeys(text.dropLast()) == keys, "\(value.prefix(40))")
    }
  }

  /// A small parser for logfmt, made for this test only.
  private static func logfmtKeys(_ text: Substring) throws -> [String] {
    var keys: [String] = []
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
      let key = rest.prefix { $0 != UInt8(ascii: "=") }
      keys.append(String(decoding: key, as: UTF8.self))
      rest = rest.dropFirst(key.count + 1)
      if rest.first == UInt8(ascii: "\"") {
        rest.removeFirst()
        var isClosed = false
        while !isClosed {
          let next = rest.popFirst()
          let byte = try #require(next, "a value that isn't closed")
          if byte == UInt8(ascii: "\\") { _ = rest.popFirst() }
          isClosed = byte == UInt8(ascii: "\"")
        }
      } else {
        rest = rest.drop { $0 != 0x20 }
      }
      if let blank = rest.popFirst() { try #require(blank == 0x20) }
    }
    return keys
  }

  @Test("TAB-separated values keep their columns")
  func tsv() throws {
    let format = try template(
      "escape: tsv\njoin: tab\nformat:\n  %h\n  %m\n  %U\n  %{Referer}i\n  %s")
    for value in TemplateRecords.hostileValues {
      let output = TemplateRecords.hostile(value).output(of: format)
      #expect(output.filter { $0 == 0x09 }.count == 4)
      #expect(output.filter { $0 == 0x0A || $0 == 0x0D }.count == 1)
    }
  }

  @Test("comma-separated values keep their columns")
  func csv() throws {
    let format = try template("escape: csv\nformat: %h,%m,%U,%{Referer}i,%s")
    for value in TemplateRecords.hostileValues {
      var isQuoted = false
      var commas = 0
      for byte in TemplateRecords.hostile(value).output(of: format) {
        if byte == UInt8(ascii: "\"") { isQuoted.toggle() }
        if byte == UInt8(ascii: ","), !isQuoted { commas += 1 }
      }
      #expect(!isQuoted && commas == 4)
    }
  }

  @Test(
    "the host and its port are told apart",
    arguments: [
      ("example.com", "example.com", "80"), ("example.com:8080", "example.com", "8080"),
      ("[::1]:443", "[::1]", "443"), ("[::1]", "[::1]", "80"), ("host:", "host", "80"),
      ("host:0", "host", "80"), ("host:65535", "host", "65535"), ("host:65536", "host", "80"),
      ("host:99999999999999999999", "host", "80"), ("host:0081", "host", "81"), ("host:http", "host", "80"),
      ("host: 81", "host", "80"), ("192.0.2.1:81", "192.0.2.1", "81"), ("a_b-c.d", "a_b-c.d", "80"),
      // Texts that aren't host names, among them an IPv6 address without brackets.
      ("::1", "-", "80"), ("a:b:81", "-", "80"), (":81", "-", "80"), ("two words:81", "-", "80"),
      ("a/b:81", "-", "80"), ("a\"b", "-", "80"), ("[::1", "-", "80"), ("[::1]x", "-", "80"),
      ("[]:81", "-", "80"),
      ("[a b]:81", "-", "80"), ("é.example:81", "-", "80"), ("", "-", "80"), ("host:81:82", "-", "80"),
    ])
  func hosts(value: String, host: String, port: String) throws {
    var records = TemplateRecords()
    records.add(.reqHeader, "Host: \(value)")
    let format = try template("format: <%{Spillway:host}x> %{Spillway:port:80}x")
    #expect(try line(format, records) == "<\(host)> \(port)\n")
  }
}
