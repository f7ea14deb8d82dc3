import LogQuery
import TestSupport
import Testing
import VarnishLog

struct QueryErrorTests {
  /// The error for a query; nil if it is accepted.
  private static func refusal(
    _ queries: [String], _ version: VarnishVersion = VarnishVersion(7, 1, 1), isStrict: Bool = true
  ) -> QueryError? {
    do throws(QueryError) {
      _ = try Query(
        queries, caseless: false, version: version, isStrict: isStrict, tags: TagTable(.v41))
      return nil
    } catch {
      return error
    }
  }

  @Test(arguments: QueryErrorCase.all) func `says what 7.1 says`(_ sample: QueryErrorCase) {
    #expect(Self.refusal([sample.query])?.description == sample.text)
  }

  @Test(.needs(.reference), arguments: QueryErrorCase.all)
  func `the table is right about 7.1`(_ sample: QueryErrorCase) throws {
    let log = try Reference(SampleLog(texts: [Array("x".utf8)]))
    let result = try log.run(["-q", sample.query])
    #expect(result.status == 1)
    #expect(result.errorText == "Query expression error:\n\(sample.text)\n")
  }

  @Test func `several queries are one text with a line for each`() {
    let error = Self.refusal(["ReqMethod eq POST", "", "Foo == 1"])
    #expect(
      error?.description == """
        Tag name matches zero tags (Pos 20)
        ReqMethod eq POST  Foo == 1
        -------------------###-----


        """)
  }

  @Test func `bytes that are no text are shown as they are`() {
    do throws(QueryError) {
      _ = try Query(
        bytes: [Array("ReqURL eq \"".utf8) + [0xFF] + Array("\" x".utf8)], caseless: false,
        version: VarnishVersion(7, 1), isStrict: true, tags: TagTable(.v41))
      Issue.record("accepted")
    } catch {
      #expect(
        error.text
          == Array("Expected EOI got 'x' (Pos 15)\nReqURL eq \"".utf8) + [0xFF]
          + Array("\" x\n--------------#\n\n".utf8))
    }
  }

  @Test(arguments: [
    (VarnishVersion(4, 1), "Unterminated string (Pos 17)", "-------------###^"),
    (VarnishVersion(5, 1), "Unterminated string (Pos 17)", "-------------###^"),
    (VarnishVersion(5, 2), "Unterminated string (Pos 18)", "-------------####"),
    (VarnishVersion(9, 0), "Unterminated string (Pos 18)", "-------------####"),
  ])
  func `up to 5.1 the last byte of an open string is to blame`(
    _ version: VarnishVersion, message: String, marks: String
  ) {
    let query = #"ReqMethod eq "GET"#
    #expect(
      Self.refusal([query], version)?.description == "\(message)\n\(query)\n\(marks)\n\n")
  }

  @Test func `before 6.4 nothing at all lacks a tag`() {
    #expect(
      Self.refusal([""], VarnishVersion(6, 0))?.description
        == "Expected VSL tag name got '' (Pos 1)\n\n\n\n")
  }

  @Test(arguments: [
    (VarnishVersion(4, 0), "vxid == 2", QueryError.Reason.unknownTag),
    (VarnishVersion(5, 2), "Req*L", .badGlob),
    (VarnishVersion(6, 3), "ReqURL # comment", .strayByte),
    (VarnishVersion(6, 3), "ReqURL eq \\\nx", .strayByte),
    (VarnishVersion(6, 3), "ReqURL\nReqMethod", .expected(.comparison)),
    (VarnishVersion(6, 0), "Notice,VdpAcct", .unknownTag),
    (VarnishVersion(7, 1), "ReqAcct == 1e1.", .badDecimal),
    (VarnishVersion(7, 1), "ReqAcct == 0x1.8", .badDecimal),
    (VarnishVersion(4, 1), "ReqAcct == 0x1.8", .badDecimal),
  ])
  func `a release refuses what came later, if it is insisted on`(
    _ version: VarnishVersion, query: String, reason: QueryError.Reason
  ) {
    #expect(Self.refusal([query], version)?.reason == reason)
  }

  @Test(arguments: ["vxid == 2", "Req*L", "ReqURL # comment", "ReqURL eq \\\nx", "ReqURL\nReqMethod"])
  func `if nobody insists, the language is the newest`(_ query: String) {
    #expect(Self.refusal([query], VarnishVersion(4, 0), isStrict: false) == nil)
  }

  @Test func `no depth of parentheses is too much`() {
    let depth = 100_000
    let query =
      String(repeating: "(", count: depth) + "ReqURL" + String(repeating: ")", count: depth)
    #expect(Self.refusal([query]) == nil)
    #expect(Self.refusal([query + ")"])?.reason == .expected(.queryEnd))
  }
}
