import Glibc
import TestSupport
import Testing

/// Made-up logs, compared with what the installed varnishncsa makes of them.
///
/// `SPILLWAY_DIFFERENTIAL_CASES` sets how many; `SPILLWAY_SEED` which ones.
@Suite(.enabled(if: Subject.isSpillway && Subject.reference != nil))
struct DifferentialTests {
  static let count =
    getenv("SPILLWAY_DIFFERENTIAL_CASES").flatMap { Int(String(cString: $0)) } ?? 200

  @Test func `random logs give the bytes and the status that varnishncsa gives`() async throws {
    try await onOwnThread {
      var random = SeededGenerator(seed: 20_231_114)
      var compared = 0
      for _ in 0..<Self.count {
        let sample = RandomCase(&random)
        switch try Self.compare(sample) {
        case .same: compared += 1
        case .reference(let signal):
          // It ends itself by an assertion on some links that no server writes.
          #expect(signal == SIGABRT, "\(sample.description)")
        case .different:
          let smallest = try Self.shrink(sample)
          let (ours, theirs) = try Self.outcomes(smallest)
          Issue.record(
            "\(random)\n\(smallest.description)\nspillway: \(ours)\nvarnishncsa: \(theirs)")
          return
        }
      }
      #expect(compared > Self.count / 2)
    }
  }

  private enum Verdict {
    case same
    case different
    /// The reference didn't survive.
    case reference(signal: Int32)
  }

  private struct Outcome: Equatable, CustomStringConvertible {
    var status: Int32?
    var output: [UInt8]
    /// The message of a refusal, without the program's name.
    var refusal: String

    init(_ result: ProcessResult) {
      status = result.status
      output = result.output
      let text = result.errorText
      let name = "spillway: "
      refusal =
        result.status == 0 ? "" : String(text.hasPrefix(name) ? text.dropFirst(name.count) : text[...])
    }

    var description: String {
      "status \(status ?? -1) \(refusal)\(String(decoding: output, as: UTF8.self).debugDescription)"
    }
  }

  private static func compare(_ sample: RandomCase) throws -> Verdict {
    let reference = try #require(Subject.reference)
    let theirs = try reference.run(over: sample.log, sample.allArguments)
    if let signal = theirs.end.signal { return .reference(signal: signal) }
    let ours = try Subject.found().run(over: sample.log, ["--compat", "7.1"] + sample.allArguments)
    return Outcome(ours) == Outcome(theirs) ? .same : .different
  }

  private static func outcomes(_ sample: RandomCase) throws -> (Outcome, Outcome) {
    let reference = try #require(Subject.reference)
    let ours = try Subject.found().run(over: sample.log, ["--compat", "7.1"] + sample.allArguments)
    return (Outcome(ours), Outcome(try reference.run(over: sample.log, sample.allArguments)))
  }

  /// Leaves out whatever doesn't matter for the difference.
  private static func shrink(_ sample: RandomCase) throws -> RandomCase {
    var smallest = sample
    func keep(_ smaller: RandomCase) throws -> Bool {
      guard case .different = try compare(smaller) else { return false }
      smallest = smaller
      return true
    }
    var index = 0
    while index < smallest.format.count, smallest.format.count > 1 {
      var smaller = smallest
      smaller.format.remove(at: index)
      if try !keep(smaller) { index += 1 }
    }
    index = 0
    while index < smallest.records.count {
      var smaller = smallest
      smaller.records.remove(at: index)
      if try !keep(smaller) { index += 1 }
    }
    index = 0
    while index < smallest.arguments.count {
      var smaller = smallest
      smaller.arguments.remove(at: index)
      if try !keep(smaller) { index += 1 }
    }
    return smallest
  }
}
