import LogQuery
import TestSupport
import Testing
import Transactions
import VarnishLog

struct MatchTests {
  @Test(arguments: MatchCase.all) func `selects what 7.1 selects`(_ sample: MatchCase) throws {
    let matches = try SampleLog(lines: MatchCase.lines)
      .matches(sample.query, caseless: sample.isCaseless)
    #expect(matches == (sample.matches ? [2] : []))
  }

  @Test(.needs(.reference), arguments: MatchCase.all)
  func `the table is right about 7.1`(_ sample: MatchCase) throws {
    let reference = try Reference(SampleLog(lines: MatchCase.lines))
    let result = try reference.run(["-q", sample.query] + (sample.isCaseless ? ["-C"] : []))
    #expect(result.status == 0)
    #expect(result.text == (sample.matches ? "2\n" : ""))
  }

  /// Queries about records with three words in front of their text.
  @Test(arguments: MatchCase.all)
  func `the other layout makes no difference`(_ sample: MatchCase) throws {
    let matches = try SampleLog(.threeWord, lines: MatchCase.lines)
      .matches(sample.query, caseless: sample.isCaseless)
    #expect(matches == (sample.matches ? [2] : []))
  }

  private static let tree = """
    2 c Begin req 1 rxreq
    2 c ReqURL /page
    2 c ReqHeader A: 1
    2 c Link bereq 3 fetch
    3 b Begin bereq 2 fetch
    3 b BereqURL /page
    3 b BerespStatus 503
    3 b End
    2 c Link req 4 esi 1
    4 c Begin req 2 esi 1
    4 c ReqURL /fragment
    4 c ReqHeader B: 2
    4 c End
    2 c RespStatus 200
    2 c End
    5 c Begin req 1 rxreq
    5 c ReqURL /other
    5 c RespStatus 404
    5 c End
    """

  @Test(
    arguments: [
      ("ReqURL ~ frag", [2, 3, 4]),
      ("{1}ReqURL ~ frag", []),
      ("{2}ReqURL ~ frag", [2, 3, 4]),
      ("{2+}ReqURL", [2, 3, 4]),
      ("{1-}ReqURL ~ page", [2, 3, 4]),
      ("{2-}ReqURL ~ other", [5]),
      ("ReqHeader:A eq 1 and ReqHeader:B eq 2", [2, 3, 4]),
      ("BerespStatus >= 500 and RespStatus == 200", [2, 3, 4]),
      ("not BerespStatus", [5]),
      ("vxid == 4", [2, 3, 4]),
      ("vxid == 3 and ReqURL ~ page", [2, 3, 4]),
      ("vxid != 5", [2, 3, 4]),
      ("not vxid != 5", [5]),
      ("ReqURL ~ other\nvxid == 3", [2, 3, 4, 5]),
    ] as [(String, [UInt64])])
  func `a group is selected as a whole`(_ query: String, matches: [UInt64]) throws {
    let log = SampleLog(lines: Self.tree)
    #expect(try log.matches(query, grouping: .request) == matches)
  }

  @Test func `of several queries the last counts up to 6.3, then any of them`() throws {
    let log = SampleLog(texts: ["a", "b", "c"].map { Array($0.utf8) })
    let queries = ["VCL_Log eq a", "VCL_Log eq c"]
    #expect(try log.matches(queries, version: VarnishVersion(6, 3)) == [6])
    #expect(try log.matches(queries, version: VarnishVersion(6, 4)) == [2, 6])
    #expect(try log.matches(queries, version: VarnishVersion(4, 0), isStrict: false) == [2, 6])
    #expect(try log.matches(["VCL_Log eq a \\", "and vxid == 2"]) == [2])
  }

  @Test func `up to 6.3 a newline is a blank`() throws {
    let log = SampleLog(texts: ["a", "b"].map { Array($0.utf8) })
    #expect(try log.matches("VCL_Log\neq\r\na", version: VarnishVersion(6, 3)) == [2])
  }

  @Test func `in 4.0 vxid is a word like any other`() throws {
    let log = SampleLog(texts: ["vxid", "b"].map { Array($0.utf8) })
    #expect(try log.matches("VCL_Log eq vxid", version: VarnishVersion(4, 0)) == [2])
  }

  @Test func `a long query is no deeper than a short one`() throws {
    let log = SampleLog(texts: ["a", "b"].map { Array($0.utf8) })
    let lines = (0..<2000).map { "VCL_Log eq x\($0)" } + ["VCL_Log eq b"]
    #expect(try log.matches(lines) == [4])
    let all = lines.map { "not \($0)" }.joined(separator: " and ")
    #expect(try log.matches(all) == [2])
  }

  @Test func `the tags that are asked for are wanted`() throws {
    let tags = TagTable(.v41)
    let query = try SampleLog.query("ReqURL ~ x or not Re*pHeader:A and vxid == 1")
    for tag in Tag.allCases {
      guard let number = tags.number(of: tag) else { continue }
      #expect(
        query.wish.mayWant(number) == ["ReqURL", "RespHeader"].contains(tag.name), "\(tag)")
    }
  }
}
