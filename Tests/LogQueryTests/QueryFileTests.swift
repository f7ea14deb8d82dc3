import LogQuery
import TestSupport
import Testing
import VarnishLog

struct QueryFileTests {
  @Test func `files and expressions are one text`() throws {
    let directory = try TemporaryDirectory()
    try writeFile(
      directory.file("queries"),
      Array("# two of them\nVCL_Log eq a\n\nVCL_Log \\\neq b # the second\n".utf8))
    var expressions = [try QueryFile.read(directory.file("queries"))]
    expressions.append(Array("Foo".utf8))
    do throws(QueryError) {
      _ = try Query(
        bytes: expressions, caseless: false, version: VarnishVersion(7, 1), isStrict: true,
        tags: TagTable(.v41))
      Issue.record("accepted")
    } catch {
      #expect(error.reason == .unknownTag)
      #expect(error.range == 57..<60)
    }
    expressions.removeLast()
    let log = SampleLog(texts: ["a", "b", "c"].map { Array($0.utf8) })
    #expect(try log.matches(expressions.map { String(decoding: $0, as: UTF8.self) }) == [2, 4])
  }

  @Test func `a file that is not there is named`() throws {
    #expect(
      throws: QueryFileError(
        path: "/nowhere/queries", reason: "No such file or directory; there is no /nowhere")
    ) { try QueryFile.read("/nowhere/queries") }
    let error = QueryFileError(path: "/nowhere/queries", reason: "No such file or directory")
    #expect(error.description == "-Q /nowhere/queries: No such file or directory")
  }

  @Test func `a file without end is refused`() throws {
    #expect(throws: QueryFileError.self) { try QueryFile.read("/dev/zero") }
  }
}
