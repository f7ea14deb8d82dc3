import TestSupport
import Testing

/// The alerting rules that come with the program; `LiveTests` checks the metrics that they use.
@Suite(.needs(.program("promtool")))
struct DashboardTests {
  private static let directory =
    #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3).joined(separator: "/")
    + "/Dashboards"

  @Test(arguments: [["check", "rules", "alerts.yml"], ["test", "rules", "alerts-test.yml"]])
  func `promtool passes the rules`(arguments: [String]) async throws {
    try await onOwnThread {
      let inDirectory = ["-c", "cd \"$0\" && exec promtool \"$@\"", Self.directory]
      let result = try ProcessRunner.run(Command("/bin/sh", inDirectory + arguments))
      #expect(result.status == 0, "\(result.text)\(result.errorText)")
    }
  }

  @Test func `each rule is tried where it fires and where it doesn't`() throws {
    let rules = try readText(Self.directory + "/alerts.yml").matches(of: /- alert: (\w+)/).map(\.output.1)
    let tests = try readText(Self.directory + "/alerts-test.yml")
    #expect(rules.count == 10)
    for rule in rules {
      #expect(tests.matches(of: try Regex("alertname: \(rule)\\}")).count >= 1, "\(rule) never silent")
      #expect(tests.contains("alertname: \(rule)\n"), "\(rule) never fires")
    }
  }
}
