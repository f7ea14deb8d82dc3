import TestSupport
import Testing

/// Lines with values that the server has probably cut.
@Suite(.enabled(if: Subject.isSpillway))
struct CutValueTests {
  private let home: TemporaryDirectory

  init() throws { home = try TemporaryDirectory() }

  /// The report of a run over a log with one request for each URL, of these lengths in bytes.
  private func report(urlByteCounts: [Int], _ arguments: [String]) throws -> String {
    let lines = urlByteCounts.enumerated().map { index, count in
      let vxid = 2 * index + 2
      return """
        \(vxid) c Begin req 1 rxreq
        \(vxid) c ReqMethod GET
        \(vxid) c ReqURL /\(String(repeating: "x", count: count - 1))
        \(vxid) c ReqHeader Host: h\(String(repeating: "y", count: index))
        \(vxid) c RespStatus 200
        \(vxid) c End
        """
    }
    try writeFile(home.file("log"), LogFileBuilder(lines: lines.joined(separator: "\n")).bytes)
    let result = try ProcessRunner.run(
      Command(try Subject.found().path, ["ncsa", "-r", home.file("log"), "--report", "1h"] + arguments))
    return result.errorText
  }

  @Test func `a line with a value as long as the server lets it be is counted`() throws {
    let counts = [10, 254, 253, 254, 100]
    #expect(try report(urlByteCounts: counts, ["-F", "%U"]).contains(" truncated=2"))
    #expect(try report(urlByteCounts: counts, ["-F", "%r"]).contains(" truncated=2"))
    let others = try report(urlByteCounts: counts, ["-F", "%s %{Host}i"])
    #expect(others.contains("written=5") && !others.contains("truncated"), "not in the line: \(others)")
    let json = try report(urlByteCounts: counts, ["-F", "%U", "--report-format", "json"])
    #expect(json.contains("\"truncated\":2"))
  }

  @Test func `a server that logs longer values has cut none of the shorter ones`() throws {
    let report = try report(urlByteCounts: [300, 254, 254], ["-F", "%U"])
    #expect(report.contains("written=3") && !report.contains("truncated"), "\(report)")
  }
}
