import Compression
import Glibc
@testable import Platform
@testable import Shipping
@testable import Spool
import Testing

/// Runs a scenario again and again, with the 1st, 2nd, 3rd … call of a kind failing, once or several times in
/// a row, until it passes without a fault; each time all lines must arrive, once, in order and whole, because
/// the sink is called again.
@Suite struct PersistenceTests {
  enum Scenario: String, CaseIterable, CustomTestStringConvertible {
    case plain, gzip, periods
    var testDescription: String { rawValue }

    var isCompressed: Bool { self != .plain }
    var name: String { self == .periods ? "access-%s.log" : "access.log" }
  }

  /// Lines that compression doesn't make much shorter.
  private static let lines: [String] = {
    var generator = SeededGenerator(seed: 11)
    return (0..<200).map { "line \($0) \(generator.next()) \(generator.next())" }
  }()

  private static let failures: [(SystemCalls.Call, [Int32])] = [
    (.open, [ENOSPC, EACCES, EROFS, EMFILE]), (.write, [ENOSPC, EIO, EDQUOT, EROFS]), (.fstat, [EIO]),
    (.ftruncate, [EIO]), (.fsync, [EIO, ENOSPC]), (.rename, [EACCES, EROFS, ENOSPC]),
    (.close, [EIO, ENOSPC]),
    (.unlink, [EACCES, EROFS]), (.opendir, [EACCES, EMFILE]), (.lstat, [EACCES, EIO]),
    (.symlink, [EROFS, ENOSPC]), (.read, [EIO]), (.futimens, [EPERM]),
    (.getxattr, [EIO, ENOTSUP]), (.setxattr, [ENOSPC, EPERM]), (.fchmod, [EPERM]), (.flock, [ENOLCK]),
    (.link, [ENOSPC, EIO]),
  ]

  private struct Outcome {
    var carried: Carried
    var directory: TemporaryDirectory
    var warnings: [String]
    var callCount: Int
    var text: String
    var invalid: [String]
  }

  /// - Returns: nil if the output was refused from the beginning; then nothing was promised.
  private func run(
    _ scenario: Scenario, _ fault: @escaping @Sendable (SystemCalls.Call, Int) -> SystemCalls.Fault?,
    counting call: SystemCalls.Call
  ) throws -> Outcome? {
    let directory = TemporaryDirectory()
    let faults = FaultPlan(fault)
    let warnings = Collected<String>()
    var options = FileOptions(path: directory.file(scenario.name))
    options.compression = scenario.isCompressed ? .gzip(level: 1) : nil
    options.rotateBytes = scenario.isCompressed ? 1200 : 2500
    options.rotateEverySeconds = scenario == .periods ? 2 : nil
    (options.keep, options.keepSeconds, options.keepBytes) = (100, 86_400, 1 << 30)
    options.link = directory.file("current")
    options.appends = true
    // A file to be pruned, and a torn file.
    let old =
      scenario == .periods
      ? ["access-1000.log.gz"] : ["access.log.20200101T000000\(scenario == .gzip ? ".gz" : "")"]
    for name in old + ["access-1000000.log"] {
      directory.write(name, "torn")
      var times = [timespec(tv_sec: 1_700_000_000, tv_nsec: 0), timespec(tv_sec: 1_700_000_000, tv_nsec: 0)]
      utimensat(AT_FDCWD, directory.file(name), &times, 0)
    }
    guard let sink = try? FileSink(options, at: .test, system: faults.system, warn: { warnings.append($0) })
    else { return nil }
    let carried = try sink.carry(Self.lines, stepSeconds: 0.7)
    let current = FileNaming.fileName(of: sink.name)
    let files = directory.files(of: sink.series.naming, current: current).filter {
      !old.contains($0) && $0 != "access-1000000.log"
    }
    return Outcome(
      carried: carried, directory: directory, warnings: warnings.all, callCount: faults.count(of: call),
      text: directory.joined(files, isCompressed: scenario.isCompressed),
      invalid: scenario.isCompressed ? files.filter { !directory.isWhole($0) } : [])
  }

  private static let expected = lines.map { $0 + "\n" }.joined()

  private func check(_ outcome: Outcome, _ context: Comment) {
    #expect(outcome.carried.isClosed, context)
    #expect(outcome.text == Self.expected, context)
    #expect(outcome.invalid == [], context)
    #expect(Set(outcome.warnings).count == outcome.warnings.count, "\(context): \(outcome.warnings)")
    let link = outcome.directory.file("current")
    #expect(SystemCalls.real.target(ofLink: link)?.hasPrefix("access") ?? true, context)
  }

  @Test(arguments: failures.map(\.0), Scenario.allCases)
  func whateverFailsForAWhileEverythingArrives(call: SystemCalls.Call, scenario: Scenario) throws {
    let codes = Self.failures.first { $0.0 == call }?.1 ?? []
    for stretch in [1, 5] {
      var target = 1
      while true {
        let failing = target..<(target + stretch)
        let code = codes[target % codes.count]
        // A line is cut off only after a failed write, so some writes stop half-way.
        let outcome = try run(
          scenario,
          { made, count in
            if made == call { return failing.contains(count) ? .fail(code) : nil }
            guard call == .ftruncate, made == .write else { return nil }
            return count % 3 == 1 ? .short(40) : count % 3 == 2 ? .fail(ENOSPC) : nil
          }, counting: call)
        if let outcome {
          let context: Comment = "\(call.rawValue) \(failing) errno \(code) \(scenario.rawValue)"
          check(outcome, context)
          if call != .ftruncate { #expect(outcome.carried.failures.count <= stretch, context) }
          if outcome.callCount < target { break }
        }
        target += 1
        try #require(target < 200, "the scenario never passes")
      }
      // These calls are made only if something is torn.
      let isRare = call == .ftruncate || call == .futimens || call == .read
      #expect(target > 1 || isRare, "nothing was tried")
    }
  }

  @Test(arguments: Scenario.allCases)
  func aDiskThatFillsUpForAWhileCostsNothing(scenario: Scenario) throws {
    for first in 1..<30 {
      let outcome = try run(
        scenario,
        { call, count in
          guard call == .write || call == .open, (first..<(first + 8)).contains(count) else { return nil }
          return call == .write && count == first ? .short(33) : .fail(ENOSPC)
        }, counting: .write)
      guard let outcome else { continue }
      check(outcome, "from \(first)")
      #expect(outcome.carried.failures.allSatisfy { $0.code == ENOSPC })
    }
  }

  @Test func theThreadSaysOnceThatItFailsAndOnceThatItWorks() throws {
    let directory = TemporaryDirectory()
    let faults = FaultPlan { call, count in
      call == .write && (2..<5).contains(count) ? .fail(ENOSPC) : nil
    }
    let said = Collected<String>()
    var options = FileOptions(path: directory.file("access.log"))
    options.compression = .gzip(level: 1)
    options.rotateBytes = 1500
    let sink = try FileSink(options, at: .test, system: faults.system) { said.append($0) }
    let naming = sink.series.naming
    let output = try Output(
      to: sink, spool: Spool.Options(blockBytes: 16 << 10),
      options: Output.Options(triesAgain: true, warn: { said.append($0) }))
    var writer = output.makeWriter()
    for line in Self.lines { writer.append(line) }
    writer.finish()
    let report = output.join(drainSeconds: 60)
    #expect(report.failure == nil)
    #expect(report.written.entries == Self.lines.count)
    #expect(report.droppedByFailure == .zero)
    let path = directory.file("access.log")
    #expect(said.all.count == 2)
    #expect(said.all.first == "\(path): write: No space left on device; it is tried again until it works")
    #expect(said.all.last?.hasPrefix("\(path): works again") == true)
    let files = directory.files(of: naming, current: "access.log")
    #expect(directory.joined(files, isCompressed: true) == Self.expected)
  }
}
