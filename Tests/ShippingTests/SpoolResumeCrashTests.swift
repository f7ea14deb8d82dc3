import Glibc
@testable import Platform
@testable import Shipping
@testable import Spool
import TestSupport
import Testing

#if DEBUG
  /// Processes with a spool and a checkpoint are killed between any two of their durable states; the next
  /// process resumes, and every entry comes once.
  @Suite(.limit(minutes: 5)) struct SpoolResumeCrashTests {
    private let places = ResumedPlaces()

    private static let whileStoring: [FaultPoint] = [
      .spoolFileBegun, .spoolFrameHalfWritten, .spoolFrameWritten, .spoolFrameNoted, .spoolMemoryFreed,
    ]
    private static let whileDelivering: [FaultPoint] = [
      .spoolDelivered, .spoolDeliveryNoted, .spoolFileRemoved,
    ]
    private static let whileKeeping: [FaultPoint] = [.spoolKept, .spoolKeptNoted, .spoolKeptSynced]
    private static let whileBeginning: [FaultPoint] = [.spoolGapNoted, .spoolFrameDropped]

    /// Lets a consumer fall behind that takes `bytes` per turn, and catch up in the end if `catchesUp`.
    static func fallBehind(_ run: ResumedRun, bytes: Int, catchesUp: Bool) throws {
      run.produce(20)
      try run.deliver(1000)
      for _ in 0..<30 {
        run.produce(20)
        run.forget()
        try run.keepUp(before: .max)
        if bytes > 0 { try run.deliver(bytes) }
      }
      if catchesUp { try run.drain() } else { try run.end() }
    }

    private func resume(_ kind: ResumedRun.Kind) throws {
      let run = try ResumedRun(places, kind)
      run.produce(1000)
      try run.drain()
      #expect(try ResumedRun.numbers(places) == Array(0..<run.next))
      #expect(run.warnings.all.filter { $0.contains("lost") } == [])
    }

    @Test(arguments: whileStoring + whileDelivering + whileKeeping, ResumedRun.Kind.allCases)
    func `a kill costs nothing`(point: FaultPoint, kind: ResumedRun.Kind) async throws {
      let catchesUp = Self.whileDelivering.contains(point)
      for (bytes, count) in [(0, 1), (2500, 1), (2500, 4)] {
        let isRare =
          point == .spoolFileRemoved || point == .spoolFileBegun || Self.whileKeeping.contains(point)
        if isRare, count > 1 { continue }
        try await die(at: point, count: count, bytes: bytes, catchesUp: catchesUp, kind)
        try resume(kind)
        for name in places.home.names { unlink(places.home.file(name)) }
        for name in places.spool.names { unlink(places.spool.file(name)) }
      }
    }

    private func die(
      at point: FaultPoint, count: Int, bytes: Int, catchesUp: Bool, _ kind: ResumedRun.Kind
    ) async throws {
      await #expect(processExitsWith: .signal(SIGKILL), "\(point.rawValue) was not passed") {
        [
          home = places.home.path as String, spool = places.spool.path as String,
          point = "\(point.rawValue):\(count)" as String, isPlain = (kind == .plain) as Bool,
          bytes = bytes as Int,
          catchesUp = catchesUp as Bool
        ] in
        setenv("SPILLWAY_FAULT_POINT", point, 1)
        let run = try ResumedRun(ResumedPlaces(home: home, spool: spool), isPlain ? .plain : .members)
        try SpoolResumeCrashTests.fallBehind(run, bytes: bytes, catchesUp: catchesUp)
      }
    }

    @Test(arguments: whileBeginning, ResumedRun.Kind.allCases)
    func `a kill while frames behind a gap are dropped costs nothing`(
      point: FaultPoint, kind: ResumedRun.Kind
    ) async throws {
      let killed = try ResumedRun(places, kind)
      killed.produce(100)
      try killed.deliver(1000)
      // The block that is being read isn't on disk, but the blocks behind it are.
      for _ in 0..<3 { try killed.spill() }
      killed.rest()
      let left = places.copy()
      await #expect(processExitsWith: .signal(SIGKILL), "\(point.rawValue) was not passed") {
        [
          home = left.home.path as String, spool = left.spool.path as String,
          point = point.rawValue as String,
          isPlain = (kind == .plain) as Bool
        ] in
        setenv("SPILLWAY_FAULT_POINT", point, 1)
        _ = try ResumedRun(ResumedPlaces(home: home, spool: spool), isPlain ? .plain : .members)
      }
      let run = try ResumedRun(left, kind)
      run.produce(200)
      try run.drain()
      #expect(try ResumedRun.numbers(left) == Array(0..<run.next))
    }
  }
#endif
