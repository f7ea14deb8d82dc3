import Glibc
import TestSupport
import Testing

@Suite("Lines of spillway demo", .needs(.spillway))
struct DemoLinesTests {
  @Test("Without a terminal there are as many lines as requests, at any rate", arguments: ["400", "1000000"])
  func count(rate: String) async throws {
    try await onOwnThread {
      let run = try DemoRun.run("--count", "200", "--rate", rate)
      #expect(run.status == 0)
      #expect(run.lines.count == 200)
      #expect(run.lines.allSatisfy { $0.contains("\"GET http://") || $0.contains("HTTP/") })
      #expect(!run.output.contains(0x1B))
      let figures = DemoRun.accounting(run.errorText)
      #expect(figures["written"] == 200 && figures["lost"] == 0 && figures["dropped"] == 0)
      #expect(figures["seen"] == 200 + (figures["filtered"] ?? 0))
      #expect(run.errorText.split(separator: "\n").count == 1, "nothing else is said")
    }
  }

  @Test("A seed gives the same lines but for the times, another one gives others")
  func seed() async throws {
    try await onOwnThread {
      let format =
        "%h %m %U%q %H %s %b %I %O %{VSL:Timestamp:Resp[2]}x %{Host}i %{User-agent}i %{X-Varnish}o "
        + "%{Varnish:handling}x"
      let first = try DemoRun.run("--count", "300", "--rate", "100000", "--seed", "5", "-F", format)
      let second = try DemoRun.run("--count", "300", "--rate", "3000", "--seed", "5", "-F", format)
      let other = try DemoRun.run("--count", "300", "--rate", "100000", "--seed", "6", "-F", format)
      #expect(first.lines.count == 300)
      let difference = zip(first.lines, second.lines).first { $0 != $1 }
      #expect(difference == nil && second.lines.count == 300)
      let isOther = Set(first.lines).isDisjoint(with: other.lines)
      #expect(isOther)
    }
  }

  @Test("Formats, queries and sides are those of ncsa")
  func formats() async throws {
    try await onOwnThread {
      let json = try DemoRun.run("--count", "50", "--rate", "9999", "--format", "json")
      #expect(json.lines.count == 50 && json.lines.allSatisfy { $0.hasPrefix("{") && $0.hasSuffix("}") })
      let errors = try DemoRun.run(
        "--count", "400", "--rate", "9999", "--seed", "1", "-q", "RespStatus >= 400", "-F", "%s")
      #expect(!errors.lines.isEmpty && errors.lines.allSatisfy { $0 >= "400" })
      let backend = try DemoRun.run("--count", "100", "--rate", "9999", "-b", "-F", "%{Varnish:side}x")
      #expect(!backend.lines.isEmpty && backend.lines.allSatisfy { $0 == "b" })
    }
  }

  @Test("A duration ends it")
  func duration() async throws {
    try await onOwnThread {
      let run = try DemoRun.run("--duration", "300ms", "--rate", "500")
      #expect(run.status == 0)
      #expect(run.lines.count > 1)
      #expect(DemoRun.accounting(run.errorText)["written"] == run.lines.count)
    }
  }

  @Test(
    "A mistake is said in one line",
    arguments: [
      (["--rate", "0"], "--rate"), (["--rate", "nan"], "--rate"), (["--count", "0"], "--count"),
      (["--count", "x"], "--count"), (["--seed", "-1"], "--seed"), (["--duration", "soon"], "--duration"),
      (["-F", "%{x"], "Unmatched"), (["--format", "none-such"], "none-such"),
      (["--spool-memory", "much"], "--spool-memory"), (["-n", "/proc/none/such"], "/proc/none/such"),
    ])
  func mistakes(arguments: [String], words: String) async throws {
    try await onOwnThread {
      let run = try ProcessRunner.run(try DemoRun.command(arguments))
      #expect(run.status == 1)
      #expect(run.output.isEmpty)
      #expect(run.errorText.hasPrefix("spillway: ") && run.errorText.contains(words))
      #expect(run.errorText.split(separator: "\n").count == 1, "\(run.errorText)")
    }
  }
}
