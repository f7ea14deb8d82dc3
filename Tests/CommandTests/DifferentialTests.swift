import Glibc
import Spool
import TestSupport
import Testing

/// Made-up commands on real and made-up logs, compared with the output of the installed reference.
///
/// `SPILLWAY_DIFFERENTIAL_CASES` sets the number of cases for each tool, `SPILLWAY_SEED` the seed, and
/// `SPILLWAY_DIFFERENTIAL_LOGS` adds recorded logs (of up to 7.2, separated by colons).
@Suite(.needs(.spillway, .reference))
struct DifferentialTests {
  static let count = setting("SPILLWAY_DIFFERENTIAL_CASES").flatMap { Int($0) } ?? 100

  @Test func `random commands give what varnishncsa gives`() async throws {
    try await compare(.ncsa, seed: 20_231_114)
  }

  @Test func `random commands give what varnishlog gives`() async throws {
    try await compare(.log, seed: 20_261_121)
  }

  private func compare(_ tool: DifferentialCase.Tool, seed: UInt64) async throws {
    try await onOwnThread {
      var random = SeededGenerator(seed: seed)
      let logs = try Self.logs()
      let commands = logs.map { (log: $0, command: RandomCommand(tool, LogWords($0.records))) }
      let runner = try DifferentialRunner(tool, Subject.found())
      var tally = Tally()
      for number in 1...Self.count {
        var sample = DifferentialCase(tool: tool, path: nil, records: [], options: [])
        if Bool.random(using: &random), let (log, command) = commands.randomElement(using: &random) {
          sample.options = command.make(&random)
          (sample.path, sample.records) = (log.path, log.records)
          if Int.random(in: 0..<6, using: &random) > 0 {
            // A piece of a log is faster to read; some of its transactions lack their beginnings or ends.
            sample.path = nil
            let start = Int.random(in: 0..<log.records.count, using: &random)
            sample.records = Array(log.records[start...].prefix(600))
          }
        } else {
          sample.records = RandomLog.records(&random)
          sample.options = RandomCommand(tool, LogWords(sample.records)).make(&random)
        }
        let (theirs, ours) = try runner.outcomes(sample)
        tally.count(theirs)
        // The reference ends by an assertion, or never ends, on some queries and on some logs that no server
        // writes.
        if theirs.signal != nil { continue }
        guard ours != theirs else { continue }
        let smallest = try runner.shrink(sample)
        let (expected, found) = try runner.outcomes(smallest)
        Issue.record(
          "\(random), case \(number)\n\(smallest.description)\n\(tool.referenceName): \(expected)\nspillway: \(found)"
        )
        tally.different += 1
        if tally.different >= Self.differencesMax { break }
      }
      print("\(tool.referenceName): \(random); \(tally)")
      // Otherwise the test would prove nothing.
      #expect(tally.shown > Self.count / 3, "\(tally)")
      #expect(tally.refused > Self.count / 50, "\(tally)")
    }
  }

  private struct Tally: CustomStringConvertible {
    /// The numbers of outcomes with some output, with none, with an error message, and with a crash of the
    /// reference.
    var shown = 0, empty = 0, refused = 0, fatal = 0
    var different = 0

    mutating func count(_ outcome: DifferentialOutcome) {
      switch outcome.status {
      case nil: fatal += 1
      case 0 where outcome.output.count + (outcome.file?.count ?? 0) > 4: shown += 1
      case 0: empty += 1
      default: refused += 1
      }
    }

    var description: String {
      "\(shown) with output, \(empty) without, \(refused) refused, \(fatal) fatal to the reference, "
        + "\(different) different"
    }
  }

  /// The number of differences after which more would teach nothing.
  private static let differencesMax = 5

  /// Recorded logs of all releases whose format the reference reads.
  private static func logs() throws -> [RecordedLog] {
    var logs = try ["7.1", "6.0", "5.2"].map { version in
      try RecordedLog(Fixture.named(version).path("capture.vsl"))
    }
    for path in setting("SPILLWAY_DIFFERENTIAL_LOGS")?.split(separator: ":") ?? [] {
      logs.append(try RecordedLog(String(path)))
    }
    return logs
  }

  private static func setting(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }
}
