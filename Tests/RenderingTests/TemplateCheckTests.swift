@testable import Rendering
import Testing

@Suite("Examples in template files")
struct TemplateCheckTests {
  private func check(_ text: String) throws -> [TemplateCheckFailure] {
    try Template(parsing: Array(text.utf8), name: "test", origin: .file("test.format")).check()
  }

  private let request = """
      c Begin      req 1 rxreq
      c Timestamp  Start: 1700000000.000000 0.000000 0.000000
      c ReqMethod  GET
    """

  @Test("that come out as they say are silent")
  func right() throws {
    #expect(
      try check("format: %m %t\nexample:\n\(request)\nexpect: GET [14/Nov/2023:22:13:20 +0000]")
        .isEmpty)
    #expect(try check("format: %m\nexample:\n\(request)\nexpect:\n    GET\n").isEmpty)
  }

  @Test("that don't are shown with both texts")
  func wrong() throws {
    let failures = try check(
      "format: %m\nexample: fine\n\(request)\nexpect: GET\n"
        + "example: odd\n\(request)\nexpect:\n  PUT\n  GET\n"
    )
    #expect(
      failures.map(\.description) == [
        """
        test.format:11: example 'odd'
          gives
            GET
          instead of
            PUT
            GET
        """
      ])
  }

  @Test("show what can't be shown")
  func hidden() throws {
    let failures = try check(
      "escape: none\nformat: %m%{A}i\nexample: x\n\(request)\n"
        + "  c ReqHeader A: \\x1b\\x01\nexpect: GET\n"
    )
    #expect(failures.first?.description.contains("GET\\u{1B}\\u{01}") == true)
    #expect(failures.first?.actual == [Array("GET\u{1B}\u{1}".utf8)])
  }

  @Test("may have no line, or several transactions")
  func several() throws {
    let restarted = "  c Begin req 1 rxreq\n  c VCL_return restart\n"
    #expect(try check("format: %m\nexample: a\n\(restarted)expect:\n").isEmpty)
    #expect(
      try check(
        "format: %{Varnish:vxid}x %m\nexample: a\n\(request)\n  c End\n\(restarted)\(request)\n"
          + "expect:\n  2 GET\n  4 GET\n"
      ).isEmpty)
    #expect(try check("format: %m\nexample: a\n\(request)\nexpect:\n").count == 1)
  }

  @Test(
    "give lines for the side that the template is for",
    arguments: [("client", ["c -"]), ("backend", ["b BE"]), ("both", ["c -", "b BE"])])
  func sides(side: String, lines: [String]) throws {
    let records = """
        c Begin       req 1 rxreq
        b Begin       bereq 2 fetch
        b BereqMethod BE
        c Begin       sess 0 HTTP/1
        c Begin       req 2 esi 1
      """
    let expected = lines.map { "  \($0)\n" }.joined()
    let text =
      "side: \(side)\nformat: %{Varnish:side}x %m\nexample: a\n\(records)\nexpect:\n\(expected)"
    #expect(try check(text).map(\.description) == [])
  }

  @Test("may hold any byte")
  func escapes() throws {
    let records = "  c Begin req 1 rxreq\n  c ReqMethod a\\x00\\0\\n\\r\\t\\\\b\\xFF\n"
    #expect(
      try check("format: %m\nexample: a\n\(records)\nexpect:\n  a\\x00\\x00\\n\\r\\t\\\\b\\xff")
        .isEmpty)
  }

  @Test("keep the indentation beyond that of their first line")
  func indentation() throws {
    let text = "format: a\\n\\ \\ b\\nc\nexample:\n\(request)\nexpect:\n    a\n      b\n    c\n"
    #expect(try check(text).map(\.description) == [])
  }
}
