import Glibc
@testable import Platform
@testable import Shipping
@testable import Spool
import Testing

/// Commands that receive the output's lines, with real children.
@Suite(.serialized) struct ExecTests {
  private let directory = TemporaryDirectory()
  private let said = Collected<String>()

  private func output(
    _ command: String, onRestart: RestartPolicy = .resend, header: String = "", system: SystemCalls = .real,
    pauseNanoseconds: ClosedRange<Int64>? = 1_000_000...10_000_000
  ) throws -> Output {
    // The shell itself would start in the directory of the tests.
    let link = ChildLink(command: "cd '\(directory.path)' && \(command)", system: system)
    return try Output(
      to: link, onRestart: onRestart, header: header, pauseNanoseconds: pauseNanoseconds, said: said)
  }

  private var got: [String] { splitLines(Array(directory.text("got").utf8)) }

  private func withoutSpacesBehind(_ line: String) -> String {
    String(line.reversed().drop { $0 == " " }.reversed())
  }

  private func process(_ index: Int) -> pid_t? {
    let numbers = splitLines(Array(directory.text("pids").utf8))
    return index < numbers.count ? pid_t(numbers[index]) : nil
  }

  /// Reads lines and writes each, and ends between two lines when told to: the shell reads byte by byte, so
  /// that it has written all that it has read.
  private static let careful = careful(format: "%s")

  /// Like `careful`, with each line padded so that it never lies in two pages of the file: a kill may end a
  /// write between two pages.
  private static let carefulWithinPages = careful(format: "%-127s")

  private static func careful(format: String) -> String {
    """
    trap 'stop=1' TERM; echo $$ >> pids; \
    while [ -z "$stop" ] && IFS= read -r line; do printf '\(format)\\n' "$line"; done >> got
    """
  }

  @Test func aCommandGetsEveryLineAndItsEndIsAwaited() throws {
    let output = try output("cat >> got; echo all >> got", header: "# fields\n")
    var writer = output.makeWriter()
    let lines = (0..<50_000).map { "line \($0)" }
    for line in lines { writer.append(line) }
    writer.finish()
    let report = output.join(drainSeconds: 60)
    #expect(got == ["# fields"] + lines + ["all"])
    #expect(report.written.entries == lines.count)
    #expect(report.lostEntries == 0)
    #expect(report.failure == nil)
    #expect(said.all.isEmpty)
  }

  @Test func aSlowReaderGetsEveryLine() throws {
    let output = try output(Self.careful)
    var writer = output.makeWriter()
    let lines = (0..<20_000).map { "line \($0) \(String(repeating: "x", count: $0 % 50))" }
    for line in lines { writer.append(line) }
    writer.finish()
    #expect(output.join(drainSeconds: 60).written.entries == lines.count)
    #expect(got == lines)
  }

  @Test(arguments: RestartPolicy.allCases)
  func whatAnEndedCommandHadNotTakenIsSentAgainOrCounted(policy: RestartPolicy) throws {
    let output = try output(
      "n=0; while [ $n -lt 100 ] && IFS= read -r line; do printf '%s\\n' \"$line\"; n=$((n+1)); done >> got",
      onRestart: policy)
    var writer = output.makeWriter()
    let lines = (0..<6000).map { "line \($0) \(String(repeating: "x", count: 100))" }
    for line in lines { writer.append(line) }
    writer.finish()
    let report = output.join(drainSeconds: 60)
    let got = got
    #expect(report.written.entries == got.count)
    #expect(report.written.entries + report.droppedByFailure.entries == lines.count)
    #expect(report.undelivered == .zero)
    switch policy {
    case .resend: #expect(got == lines)
    case .drop:
      #expect(report.droppedByFailure.entries > 0)
      #expect(Set(got).count == got.count, "none twice")
      #expect(got == lines.filter(Set(got).contains), "in order and whole")
    }
    #expect(said.all.first?.contains(policy == .drop ? "lines are dropped" : "lines are sent again") == true)
    #expect(said.all.count <= 2, "the same failure is said once, and that it works: \(said.all)")
  }

  /// Ends the children of a command at random moments while more lines are written.
  private func endChildren(
    _ number: Int32, times: Int, _ output: Output, _ writer: inout SpoolWriter
  ) throws -> [String] {
    var random = SeededGenerator(seed: UInt64(number))
    var lines: [String] = []
    for index in 0..<times {
      for _ in 0..<Int.random(in: 0...400, using: &random) {
        lines.append("line \(lines.count) \(String(repeating: "x", count: lines.count % 60 + 1))")
        writer.append(lines.last ?? "")
      }
      writer.publish()
      try #require(eventually { process(index) != nil }, "child \(index) is started: \(said.all)")
      let moment = Int.random(in: 0...2000, using: &random)
      for _ in 0..<moment { sched_yield() }
      kill(try #require(process(index)), number)
    }
    return lines
  }

  @Test(arguments: RestartPolicy.allCases)
  func fiftyChildrenThatAreToldToEndLoseNothingButWhatIsCounted(policy: RestartPolicy) throws {
    let output = try output(Self.careful, onRestart: policy)
    var writer = output.makeWriter()
    let lines = try endChildren(SIGTERM, times: 50, output, &writer)
    writer.finish()
    let report = output.join(drainSeconds: 60)
    let got = got
    #expect(report.undelivered == .zero)
    #expect(report.written.entries == got.count)
    #expect(report.written.entries + report.droppedByFailure.entries == lines.count)
    #expect(got == lines.filter(Set(got).contains), "whole lines, in order, none twice")
    if policy == .resend { #expect(got == lines) }
  }

  @Test func fiftyChildrenThatAreKilledTakeAtMostTheLineTheyHadInHandWithThem() throws {
    let output = try output(Self.carefulWithinPages)
    var writer = output.makeWriter()
    let lines = try endChildren(SIGKILL, times: 50, output, &writer)
    writer.finish()
    let report = output.join(drainSeconds: 60)
    #expect(got.allSatisfy { $0.utf8.count == 127 })
    let got = got.map(withoutSpacesBehind)
    #expect(report.written.entries == lines.count)
    #expect(got == lines.filter(Set(got).contains), "whole lines, in order, none twice")
    #expect(lines.count - got.count <= 50)
    #expect(said.all.first?.contains("was ended by signal 9 (Killed)") == true, "\(said.all)")
  }

  @Test func aCommandThatIsNotThereIsSaidOnceAndTriedAgain() throws {
    let output = try output("echo x >> starts; exec /nonexistent/command 2>/dev/null")
    var writer = output.makeWriter()
    writer.append("kept")
    writer.publish()
    #expect(eventually { splitLines(Array(directory.text("starts").utf8)).count > 5 })
    #expect(
      said.all.count <= 2 && said.all.allSatisfy { $0.contains("ended with status 127") }, "\(said.all)")
    writer.finish()
    let report = output.join(drainSeconds: 0)
    #expect(report.written == .zero)
    #expect(report.undelivered == Tally(entries: 1, bytes: 5))
    #expect(report.failure == nil)
  }

  @Test func aStuckChildIsLeftInTimeWithExactNumbersAndNoProcess() throws {
    let output = try output(
      """
      trap '' TERM; echo $$ >> pids; sleep 1000 & echo $! >> pids; \
      for n in 1 2 3 4 5 6 7 8 9 10; do IFS= read -r line; echo "$line" >> got; done; echo >> ready; wait; wait
      """)
    var writer = output.makeWriter()
    let lines = (0..<20_000).map { "line \($0)" }
    for line in lines { writer.append(line) }
    writer.finish()
    #expect(eventually { directory.names.contains("ready") })
    let (child, grandchild) = (try #require(process(0)), try #require(process(1)))
    #expect(isRunning(child) && isRunning(grandchild))
    let start = Moment.now().steadyNanoseconds
    let report = output.join(drainSeconds: 0.1)
    let nanoseconds = Moment.now().steadyNanoseconds - start
    #expect((100_000_000..<3_000_000_000).contains(nanoseconds))
    #expect(got == Array(lines.prefix(10)))
    #expect(report.written.entries == 10)
    #expect(report.undelivered.entries == lines.count - 10)
    #expect(report.written + report.undelivered == output.usage.committed)
    #expect(kill(child, 0) != 0 && errno == ESRCH, "not even a zombie")
    #expect(eventually { !isRunning(grandchild) })
  }

  @Test func aCommandThatFailsAtItsEndIsAFailure() throws {
    let output = try output("cat >> got; exit 3")
    var writer = output.makeWriter()
    writer.append("line")
    writer.finish()
    let report = output.join(drainSeconds: 60)
    #expect(report.failure?.description.hasSuffix("': close: ended with status 3") == true)
    #expect(report.written.entries == 1, "it has taken everything")
    #expect(got == ["line"])
  }

  @Test func aChildThatStopsReadingButStaysIsReplaced() throws {
    let output = try output("if [ -e once ]; then cat >> got; else echo > once; exec sleep 1000 <&-; fi")
    var writer = output.makeWriter()
    writer.append("line")
    writer.finish()
    let report = output.join(drainSeconds: 60)
    #expect(report.written.entries == 1)
    #expect(got == ["line"])
    #expect(said.all.first?.contains("was ended by signal 15 (Terminated)") == true, "\(said.all)")
  }

  @Test func theChildHasItsOwnGroupAndSignalsAsTheyAreByDefault() throws {
    let output = try output(
      "cat /proc/self/status > status; ps -o pgid= -p $$ > group; echo $$ > pid; cat > got")
    output.finish()
    #expect(output.join(drainSeconds: 60).failure == nil)
    let status = splitLines(Array(directory.text("status").utf8))
    for name in ["SigBlk", "SigIgn"] {
      let line = try #require(status.first { $0.hasPrefix("\(name):\t") })
      let signals = try #require(UInt64(line.dropFirst(8), radix: 16))
      // The C library keeps signals 32 and 33 for itself.
      #expect(signals & ~0x1_8000_0000 == 0, "\(line)")
    }
    #expect(
      directory.text("group").filter { !$0.isWhitespace } == directory.text("pid").filter { !$0.isWhitespace }
    )
  }

  @Test func whoReadsAChunkAtATimeGetsWholeLines() throws {
    // A chunk that ends within a line would be lost or torn if the child ended after it.
    let output = try output(
      "perl -e 'while (sysread(STDIN, $b, 1 << 20)) { $n++ if substr($b, -1) ne \"\\n\" } print \"torn $n\"' > got"
    )
    var writer = output.makeWriter()
    for index in 0..<100_000 { writer.append("line \(index) \(String(repeating: "x", count: index % 97))") }
    writer.finish()
    #expect(output.join(drainSeconds: 60).written.entries == 100_000)
    #expect(directory.text("got") == "torn ")
  }

  @Test func aRotationByOthersGivesTheCommandANewStart() throws {
    let output = try output("cat > got.$$; echo $$ >> pids")
    var writer = output.makeWriter()
    writer.append("before")
    writer.publish()
    #expect(eventually { output.report.written.entries == 1 })
    output.requestReopen()
    #expect(eventually { process(0) != nil })
    writer.append("after")
    writer.finish()
    #expect(output.join(drainSeconds: 60).written.entries == 2)
    #expect(directory.text("got.\(try #require(process(0)))") == "before\n")
    #expect(directory.text("got.\(try #require(process(1)))") == "after\n")
    #expect(said.all.isEmpty)
  }

  @Test func whatCantBeReapedWhenItIsKilledIsReapedLater() throws {
    // With this fault, nothing tells the link that the child has ended.
    let faults = FaultPlan { call, _ in call == .waitid ? .fail(EINVAL) : nil }
    let link = ChildLink(command: "cd '\(directory.path)' && echo $$ > pids; cat", system: faults.system)
    guard case .open = link.begin(at: .now()) else {
      Issue.record("it didn't start")
      return
    }
    #expect(eventually { process(0) != nil })
    let child = try #require(process(0))
    link.release()
    #expect(eventually { kill(child, 0) != 0 && errno == ESRCH }, "something is left of it")
  }
}
