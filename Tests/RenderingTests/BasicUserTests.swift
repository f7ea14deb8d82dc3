import TestSupport
import Testing
import VarnishLog

/// The user name that an `Authorization` header gives.
struct BasicUserTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var header: String
    /// The name that 7.1 decodes, and the one that 7.4 does with its strict decoder.
    var lenient: String
    var strict: String

    init(_ header: String, _ lenient: String, strict: String? = nil) {
      self.header = header
      self.lenient = lenient
      self.strict = strict ?? lenient
    }

    var testDescription: String { header }

    func line(by version: VarnishVersion?) throws -> String {
      let records = LineVector.requestLines(records)
      let line = try Rendering("[%u]", version).lines(SampleRecord.parse(records, tags: .v8))
      return String(decoding: line, as: UTF8.self)
    }

    var records: String { "ReqHeader Authorization: \(header)" }
  }

  static let cases = [
    Case("Basic dXNlcjpwYXNz", "user"),
    Case("basic   dXNlcjpwYXNz", "user"),
    Case("BASIC dXNlcjpwYXNz", "user"),
    Case("BasicdXNlcjpwYXNz", "-"),
    Case("Bearer dXNlcjpwYXNz", "-"),
    Case("\tBasic dXNlcjpwYXNz", "-"),
    Case("   Basic dXNlcjpwYXNz\t", "user"),
    Case("Basic", "-"),
    Case("Basic dXNl*jpw", "-"),
    Case("Basic dXNl cjpw", "-"),
    Case("Basic dXNlcg==", "user"),
    Case("Basic dXNlcg", "use", strict: "-"),
    Case("Basic dXNlcjp", "use\\x01\\xc8\\xe9", strict: "-"),
    Case("Basic OnBhc3M=", ""),
    Case("Basic ====", "", strict: "-"),
    Case("Basic YSJiXGM6eA==", #"a\"b\\c"#),
    Case("Basic /+8AAWE6eA==", "\\xff\\xef"),
    Case("Basic \(base64(126))", String(repeating: "a", count: 126)),
    Case("Basic \(base64(127))", "-", strict: String(repeating: "a", count: 127)),
    Case("Basic YTpi\nReqHeader Authorization: Basic Yzpk", "a"),
    Case("Basic *\nReqHeader Authorization: Basic Yzpk", "-"),
    Case("Bearer x\nReqHeader Authorization: Basic Yzpk", "c"),
  ]

  /// The base64 form of `count` letters a.
  private static func base64(_ count: Int) -> String {
    let whole = String(repeating: "YWFh", count: count / 3)
    return whole + ["", "YQ==", "YWE="][count % 3]
  }

  @Test(arguments: cases) func `up to 7.3 anything can be decoded somehow`(_ user: Case) throws {
    for version in [VarnishVersion(4, 1), VarnishVersion(7, 1), VarnishVersion(7, 3)] {
      #expect(try user.line(by: version) == "[\(user.lenient)]\n", "\(version)")
    }
  }

  @Test(arguments: cases) func `from 7.4 on only proper base64 counts`(_ user: Case) throws {
    for version in [VarnishVersion(7, 4), VarnishVersion(7, 7), VarnishVersion(9, 0), nil] {
      #expect(try user.line(by: version) == "[\(user.strict)]\n", "\(String(describing: version))")
    }
  }

  @Test(.needs(.reference), arguments: cases)
  func `the table is right about 7.1`(_ user: Case) throws {
    let reference = try #require(Subject.reference)
    let vector = LineVector.request(user.records, "[%u]", "[\(user.lenient)]\n")
    #expect(try vector.output(of: reference) == vector.expected)
  }
}
