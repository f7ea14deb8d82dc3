import Glibc
import LogQuery
import ShmLog
import TestSupport
import Testing
import Transactions

/// Made-up queries on a real log, compared with what the installed varnishncsa makes of them.
///
/// `SPILLWAY_DIFFERENTIAL_CASES` sets how many; `SPILLWAY_SEED` which ones.
@Suite(.enabled(if: Reference.isThere))
struct DifferentialTests {
  static let count =
    getenv("SPILLWAY_DIFFERENTIAL_CASES").flatMap { Int(String(cString: $0)) } ?? 100

  @Test func `random queries select what they select for varnishncsa`() async throws {
    try await onOwnThread {
      var random = SeededGenerator(seed: 20_261_121)
      let file = try Self.capture()
      let log = SampleLog(file: file, tags: TagTable(.v41))
      let reference = try Reference(log)
      let queries = RandomQuery(log.records)
      // Some transactions give no line, whatever the query.
      let all = try reference.run(["-b", "-c", "-E"])
      let shown = Set(all.text.split(separator: "\n").compactMap { UInt64($0) })
      var selected = 0
      var refused = 0
      for _ in 0..<Self.count {
        let query = queries.make(&random)
        let isCaseless = Int.random(in: 0..<4, using: &random) == 0
        let grouping: Grouping = Bool.random(using: &random) ? .request : .vxid
        let theirs = try reference.run(
          ["-b", "-c", "-E", "-g", grouping == .vxid ? "vxid" : "request", "-q", query]
            + (isCaseless ? ["-C"] : []))
        // It ends itself by an assertion on an empty field in quotation marks.
        if theirs.end.signal == SIGABRT { continue }
        let place: Comment = "\(random), query \(query.debugDescription), \(grouping), \(isCaseless)"
        do throws(QueryError) {
          let ours = try log.matches([query], caseless: isCaseless, grouping: grouping)
            .filter(shown.contains)
          #expect(theirs.status == 0, place)
          #expect(ours.map { "\($0)\n" }.joined() == theirs.text, place)
          if !ours.isEmpty { selected += 1 }
        } catch {
          refused += 1
          #expect(theirs.status == 1, place)
          // Where the first token is wrong, it doesn't know where that was.
          let isFirst = error.query[..<error.range.lowerBound].allSatisfy(ASCII.isSpace)
          if error.reason == .strayByte, isFirst { continue }
          #expect("Query expression error:\n\(error)\n" == theirs.errorText, place)
        }
      }
      // Otherwise this would be no test of anything.
      #expect(selected > Self.count / 3)
      #expect(refused > Self.count / 20)
    }
  }

  /// A real log of 7.1 with all kinds of requests, fetches and errors.
  private static func capture() throws(SupportError) -> [UInt8] {
    let directory = try TemporaryDirectory()
    let tests = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(2)
    let archive = tests.joined(separator: "/") + "/CommandTests/Fixtures/7.1.tar.gz"
    let result = try ProcessRunner.run(
      "tar", "-xzf", archive, "-C", directory.path, "capture.vsl")
    guard result.status == 0 else { throw SupportError("unpack \(archive): \(result.errorText)") }
    return try readFile(directory.file("capture.vsl"))
  }
}
