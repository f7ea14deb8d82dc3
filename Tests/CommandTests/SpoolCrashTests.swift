import Glibc
@testable import Platform
@testable import Shipping
import TestSupport
import Testing

#if DEBUG
  /// The program is killed between any two durable states of its spool, and started again.
  ///
  /// Entries that were on disk are delivered, nothing is torn, and at most one batch comes twice.
  @Suite(.serialized, .needs(.builtSpillway), .limit(minutes: 5))
  struct SpoolCrashTests {
    private let home: TestSupport.TemporaryDirectory
    private let log: SpoolRun.Log
    private let next: SpoolRun.Log
    private var spool: String { home.file("spool") }

    init() throws {
      home = try TestSupport.TemporaryDirectory()
      log = try SpoolRun.Log(home.file("log"), count: 12_000)
      next = try SpoolRun.Log(home.file("next"), first: 12_000, count: 10)
    }

    private static let whileSpilling: [FaultPoint] = [
      .spoolFileBegun, .spoolFrameHalfWritten, .spoolFrameWritten, .spoolFrameNoted, .spoolMemoryFreed,
    ]
    private static let whileDelivering: [FaultPoint] = [
      .spoolDelivered, .spoolDeliveryNoted, .spoolFileRemoved,
    ]
    private static let whileKeeping: [FaultPoint] = [.spoolKept, .spoolKeptNoted, .spoolKeptSynced]

    /// Runs until the fault point kills the program.
    private func runToDeath(_ point: FaultPoint, count: Int) throws -> SpoolRun.Ended {
      // Small files, so that many are begun and removed.
      let run = try SpoolRun(
        log, spool: spool, ["--spool-disk", "16M", "--drain", "0s"], point: "\(point.rawValue):\(count)")
      try run.waitUntilRead(log)
      if Self.whileDelivering.contains(point) { run.wakeConsumer() }
      if Self.whileKeeping.contains(point) { run.child.signal(SIGTERM) }
      let ended = try run.end()
      try #require(ended.end.signal == SIGKILL, "\(point.rawValue) was not passed: \(ended.said)")
      return ended
    }

    @Test(arguments: whileSpilling + whileDelivering + whileKeeping, [1, 3])
    func `a kill costs nothing that was on disk`(point: FaultPoint, count: Int) async throws {
      let isOnce = Self.whileKeeping.contains(point)
      let isRare = point == .spoolFileRemoved || point == .spoolFileBegun
      if count > 1, isOnce || isRare { return }
      try await onOwnThread {
        let dead = try runToDeath(point, count: count)
        #expect(dead.lines == Array(log.lines[..<dead.lines.count]))
        let onDisk = try SpoolRun.entries(onDisk: spool)
        let later = try SpoolRun.runToEnd(next, spool: spool)
        #expect(later.end.status == 0, "\(later.said)")
        #expect(later.lines.suffix(next.lines.count) == next.lines[...])

        // The lines of the first run contain their records' numbers, counted from 0.
        let numbers = later.lines.dropLast(next.lines.count).compactMap { line in
          line.split(separator: "/").first.flatMap { Int($0) }
        }
        #expect(numbers.map { log.lines[$0] } == later.lines.dropLast(next.lines.count))
        #expect(zip(numbers, numbers.dropFirst()).allSatisfy { $0 < $1 })
        let missing = onDisk.subtracting(numbers).filter { $0 >= dead.lines.count }
        #expect(missing.isEmpty, "\(missing.count) lines that were on disk did not come")
        let repeated = numbers.count { $0 < dead.lines.count }
        #expect(repeated <= SpoolRun.linesInBlock, "\(repeated) came twice")
        if isOnce { #expect(dead.lines.count + numbers.count - repeated == log.lines.count) }
      }
    }
  }
#endif
