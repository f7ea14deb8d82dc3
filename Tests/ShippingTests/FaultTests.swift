import Compression
import Glibc
@testable import Platform
@testable import Shipping
@testable import Spool
import Testing

/// Runs one scenario again and again, with the 1st, 2nd, 3rd … call of a kind failing, until it
/// passes untouched; whichever call fails, the files hold whole lines and the numbers are exact.
@Suite struct FaultTests {
  enum Injection: String, CaseIterable, CustomTestStringConvertible {
    case interrupted, noSpace, inputOutput, short, shortThenNoSpace
    var testDescription: String { rawValue }

    func fault(_ count: Int, at target: Int) -> SystemCalls.Fault? {
      switch self {
      case .interrupted: count == target ? .fail(EINTR) : nil
      case .noSpace: count == target ? .fail(ENOSPC) : nil
      case .inputOutput: count == target ? .fail(EIO) : nil
      case .short: count == target ? .short(5) : nil
      case .shortThenNoSpace:
        count == target ? .short(150) : count > target ? .fail(ENOSPC) : nil
      }
    }
  }

  private struct Result {
    var report: OutputReport
    var text: String
    var isEveryFileValid: Bool
    var callCount: Int
  }

  private static let lines = (0..<3000).map {
    "line \($0) \(String(repeating: "x", count: $0 % 70))"
  }

  private func run(
    _ call: SystemCalls.Call, _ injection: Injection, at target: Int, gzip: Bool
  ) throws -> Result? {
    let directory = TemporaryDirectory()
    let faults = FaultPlan { made, count in
      made == call ? injection.fault(count, at: target) : nil
    }
    var options = FileOptions(path: directory.file("access.log"))
    options.compression = gzip ? .gzip(level: 1) : nil
    options.rotateBytes = gzip ? 10_000 : 40_000
    options.keep = 100
    let sink: FileSink
    do {
      sink = try FileSink(options, at: .test, system: faults.system) { _ in }
    } catch {
      // The output was refused when it was opened, so nothing was promised.
      #expect(injection == .noSpace || injection == .inputOutput)
      return nil
    }
    let output = try Output(
      to: sink, spool: Spool.Options(blockBytes: 16 << 10), options: Output.Options(clock: { .test }))
    var writer = output.makeWriter()
    for line in Self.lines { writer.append(line) }
    writer.finish()
    let report = output.join(drainSeconds: 60)

    var text = ""
    var isEveryFileValid = true
    let finished = directory.names.filter { $0 != "access.log" }
      .sorted { ($0.count, $0) < ($1.count, $1) }
    for name in finished + ["access.log"] {
      if gzip {
        let (part, isValid) = directory.unzipped(name)
        text += part
        // A file that could not even be begun has no bytes at all.
        let isEmpty = SystemCalls.real.status(ofPath: directory.file(name))?.st_size == 0
        isEveryFileValid = isEveryFileValid && (isValid || isEmpty)
      } else {
        let part = directory.text(name)
        text += part
        isEveryFileValid = isEveryFileValid && (part.isEmpty || part.hasSuffix("\n"))
      }
    }
    return Result(
      report: report, text: text, isEveryFileValid: isEveryFileValid,
      callCount: faults.count(of: call))
  }

  @Test(
    arguments: [
      SystemCalls.Call.open, .write, .fstat, .fsync, .rename, .close, .unlink, .opendir,
    ], [false, true])
  func whateverFailsTheFilesAreWholeAndTheNumbersExact(
    call: SystemCalls.Call, gzip: Bool
  ) throws {
    let isWrite = call == .write
    for injection in Injection.allCases where isWrite || !injection.rawValue.hasPrefix("short") {
      var target = 1
      while true {
        let result = try run(call, injection, at: target, gzip: gzip)
        if let result {
          let context: Comment = "\(call.rawValue) \(target) \(injection.rawValue) gzip \(gzip)"
          let report = result.report
          #expect(result.isEveryFileValid, context)
          let expected = Self.lines.prefix(max(0, report.written.entries)).map { $0 + "\n" }
            .joined()
          #expect(result.text == expected, context)
          #expect(
            report.written.entries + report.droppedByFailure.entries == Self.lines.count, context)
          #expect(report.undelivered == .zero, context)
          if injection == .interrupted || injection == .short {
            #expect(report.failure == nil, context)
          }
          if report.failure == nil {
            #expect(report.written.entries == Self.lines.count, context)
          }
          if result.callCount < target { break }
        }
        target += 1
        try #require(target < 100, "the scenario never passes")
      }
    }
  }

  @Test func aWriteThatFailsInTheMiddleLeavesTheWholeEntriesBeforeIt() throws {
    let directory = TemporaryDirectory()
    let faults = FaultPlan { call, count in
      guard call == .write else { return nil }
      return count == 1 ? .short(10) : .fail(ENOSPC)
    }
    var options = FileOptions(path: directory.file("access.log"))
    options.appends = true
    let sink = try FileSink(options, at: .test, system: faults.system) { _ in }
    let error = #expect(throws: SystemError.self) { try sink.take(["123", "567", "9ab"]) }
    #expect(error?.description == "\(directory.file("access.log")): write: No space left on device")
    #expect(directory.text("access.log") == "123\n567\n")
  }

  @Test func standardOutputThatIsAFileIsKeptWholeAsWell() throws {
    let directory = TemporaryDirectory()
    let descriptor = open(directory.file("out"), O_WRONLY | O_CREAT, 0o600)
    defer { close(descriptor) }
    let faults = FaultPlan { call, count in
      guard call == .write else { return nil }
      return count == 1 ? .short(10) : count == 2 ? .fail(ENOSPC) : nil
    }
    let sink = try StreamSink(
      descriptor: descriptor, name: "standard output", ownsDescriptor: false,
      system: faults.system)
    try sink.take(["123", "567", "9ab", "def"])
    #expect(directory.text("out") == "123\n567\n9ab\ndef\n")
  }
}
