import Glibc
@testable import Rendering
import Testing
@testable import VarnishLog

@Suite("The templates that are shipped")
struct TemplateShippedTests {
  static let library = TemplateLibrary(directories: [])
  static let folder =
    #filePath.split(separator: "/").dropLast(3).map { "/" + $0 }.joined() + "/Formats"

  @Test("are all files of the folder, embedded as they are")
  func embedded() throws {
    let files = try TemplateFile.names(in: Self.folder)
    #expect(files.contains("combined"))
    #expect(Self.library.list().map(\.name) == files)
    for name in files {
      let file = try TemplateFile.read("\(Self.folder)/\(name).format", name: name)
      #expect(try Self.library.template(name).source == file.source, "\(name)")
    }
  }

  @Test("say what they are good for and pass their examples", arguments: BuiltinTemplates.names)
  func examples(name: String) throws {
    let template = try Self.library.template(name)
    #expect(!template.summary.isEmpty)
    #expect(template.exampleCount >= 3)
    #expect(template.check().map(\.description) == [])
    #expect(template.origin == .builtIn)
  }

  @Test("can be used with every generation of logs", arguments: BuiltinTemplates.names)
  func generations(name: String) throws {
    let template = try Self.library.template(name)
    // From older logs, transactions with the tags of 7.3 are made.
    for numbering in TagNumbering.allCases where !numbering.isOld {
      let format = try template.lineFormat(rules: .natural(for: numbering))
      let line = TemplateRecords().output(of: format, in: numbering)
      #expect(line.last == 0x0A)
    }
  }

  @Test(
    "include one that is the default format, byte for byte",
    arguments: TagNumbering.allCases.filter { !$0.isOld })
  func combinedIsDefault(numbering: TagNumbering) throws {
    let rules = NCSARules.natural(for: numbering)
    let combined = try Self.library.template("combined").lineFormat(rules: rules)
    let usual = try LineFormat(nil, rules: rules, isJSON: false)
    for value in TemplateRecords.hostileValues + [[0x0B, 0x0C]] {
      let records = TemplateRecords.hostile(value)
      let expected = records.output(of: usual, in: numbering)
      #expect(records.output(of: combined, in: numbering) == expected)
      #expect(!expected.isEmpty)
    }
    #expect(
      TemplateRecords().output(of: combined, in: numbering)
        == TemplateRecords().output(of: usual, in: numbering))
  }

  @Test(
    "name as many fields in their headers as their lines have", arguments: ["w3c", "cloudfront"])
  func headers(name: String) throws {
    let template = try Self.library.template(name)
    let headers = template.headerLines.map { String(decoding: $0, as: UTF8.self) }
    #expect(headers.contains("#Version: 1.0"))
    let fields = try #require(headers.first { $0.hasPrefix("#Fields: ") }).split(separator: " ")
      .dropFirst()
    let format = try template.lineFormat(rules: .natural(for: .v73))
    let separator = UInt8(ascii: name == "w3c" ? " " : "\t")
    for value in TemplateRecords.hostileValues {
      let line = TemplateRecords.hostile(value).output(of: format)
      let columns = line.dropLast().split(separator: separator, omittingEmptySubsequences: false)
      #expect(columns.count == fields.count)
      #expect(columns.allSatisfy { !$0.isEmpty && !$0.contains(0x0A) })
    }
    #expect(fields.count == (name == "w3c" ? 15 : 33))
  }
}
