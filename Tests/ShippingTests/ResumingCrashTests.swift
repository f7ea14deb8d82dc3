import Compression
import Glibc
@testable import Platform
@testable import Shipping
import TestSupport
import Testing

#if DEBUG
  /// A run that writes files is killed again and again, and each time another run resumes: in the end every
  /// entry is in the files once, in order.
  @Suite(.serialized, .limit(minutes: 5))
  struct ResumingCrashTests {
    enum Kind: String, CaseIterable, CustomTestStringConvertible {
      case plain, gzip, zstd, rotated, gzipRotated, zstdRotated, withHeader, namedByTime, gzipNamedByTime
      case inPeriods, records
      var testDescription: String { rawValue }

      var compression: CompressionFormat? {
        switch self {
        case .gzip, .gzipRotated, .gzipNamedByTime: .gzip
        case .zstd, .zstdRotated: .zstd
        case .plain, .rotated, .withHeader, .namedByTime, .inPeriods, .records: nil
        }
      }
      var isCompressed: Bool { compression != nil }
      var rotates: Bool { self != .plain && self != .gzip && self != .zstd }
      var name: String { self == .namedByTime || self == .gzipNamedByTime ? "access-%s.log" : "access.log" }

      var settings: [String] {
        switch self {
        case .plain: []
        case .gzip: ["gzip=1"]
        case .zstd: ["zstd=1"]
        case .zstdRotated: ["zstd=1", "rotate-size=6000"]
        case .rotated: ["rotate-size=9000", "sync=each-batch"]
        case .gzipRotated: ["gzip=1", "rotate-size=6000"]
        case .records: ["records", "rotate-size=9000"]
        case .withHeader: ["header=# fields", "rotate-size=9000"]
        case .namedByTime, .inPeriods: ["rotate-every=1"]
        case .gzipNamedByTime: ["gzip=1", "rotate-every=1"]
        }
      }
    }

    private static let entryCount = 3000

    private let directory = TemporaryDirectory()
    private let home = TemporaryDirectory()
    /// The start of the next run; later than all runs before, so that names show the order.
    private let clock = Guarded(1_000_000_000)

    /// Resumes the output.
    private func run(_ kind: Kind, _ settings: [String] = [], point: String? = nil) throws -> ProcessResult {
      let path = try #require(Subject.builtExecutable("ShippingProbe"), "no ShippingProbe beside the tests")
      let start = clock.withLock { seconds in
        seconds += 100_000
        return seconds
      }
      let own = [
        "file=\(directory.file(kind.name))", "checkpoint=\(home.file("checkpoint"))",
        "entries=\(Self.entryCount)", "start=\(start)",
      ]
      return try ProcessRunner.run(
        Command(path, own + kind.settings + settings, environment: ["SPILLWAY_FAULT_POINT": point]),
        limit: .seconds(120))
    }

    /// Resumes the output until all is written, and checks the files.
    private func finish(_ kind: Kind, _ context: Comment) throws {
      let result = try run(kind)
      #expect(result.status == 0, "\(context): \(result.errorText)")
      let naming = FileNaming(
        template: directory.file(kind.name), expandsTime: true, compression: kind.compression)
      let files = directory.files(of: naming, current: "access.log")
      #expect(files.count == directory.names.count, "\(context): \(directory.names)")
      if let format = kind.compression {
        #expect(files.allSatisfy { directory.isWhole($0, format) }, context)
      }
      let found =
        kind == .records
        ? files.flatMap { records($0) }
        : directory.joined(files, kind.compression).split(
          separator: "\n", omittingEmptySubsequences: false
        ).map(String.init)
      let lines = found.filter { $0 != "# fields" }
      if kind == .records {
        let expected = (0..<Self.entryCount).flatMap { index in (0...index % 4).map { "\(index) \($0)\n" } }
        #expect(lines == expected, context)
      } else {
        #expect(lines.last == "", "\(context): the last line is whole")
        #expect(lines.dropLast().map { Int($0.prefix { $0 != " " }) } == Array(0..<Self.entryCount), context)
      }
    }

    /// The records of a file, as the probe makes them.
    private func records(_ name: String) -> [String] {
      var rest = directory.bytes(name)[...]
      guard rest.starts(with: "ROB1".utf8) else { return ["no header"] }
      rest = rest.dropFirst(4)
      var records: [String] = []
      while let count = rest.popFirst() {
        records.append(String(decoding: rest.prefix(Int(count)), as: UTF8.self))
        rest = rest.dropFirst(Int(count))
      }
      return records
    }

    /// The fault points that every run passes.
    private static func points(_ kind: Kind) -> [FaultPoint] {
      let all: [FaultPoint] = [
        .writeNoted, .writeDone, .syncDone, .syncNoted, .rotationOpened, .rotationPlaceNoted,
        kind.isCompressed ? .memberHalfWritten : .lineHalfWritten,
      ]
      let rotation: [FaultPoint] = [
        .rotationFlushed, .rotationSynced, .rotationNoted, .rotationDirectorySynced, .rotationClosed,
        .rotationMarked,
      ]
      let isRenamed = kind.rotates && kind != .namedByTime
      let isBegun = kind.isCompressed || kind == .withHeader || kind == .records
      return all + (kind.rotates ? rotation : []) + (isRenamed ? [.rotationRenamed] : [])
        + (isBegun ? [.rotationBegun] : []) + (kind.isCompressed ? [.memberJoined] : [])
    }

    private static let cases = Kind.allCases.flatMap { kind in points(kind).map { (kind, $0) } }

    @Test(arguments: cases)
    func `a kill between any two steps neither loses nor doubles an entry`(
      kind: Kind, point: FaultPoint
    ) async throws {
      try await onOwnThread {
        // The first kill may happen at the beginning of the very first file.
        for count in [1, 3, 2] {
          let dying = try run(kind, point: "\(point.rawValue):\(count)")
          #expect(dying.end.signal == SIGKILL || (count > 1 && dying.status == 0), "\(dying.errorText)")
        }
        try finish(kind, "\(point.rawValue)")
      }
    }

    @Test(arguments: Kind.allCases)
    func `a kill behind the cutting costs nothing`(kind: Kind) async throws {
      try await onOwnThread {
        let half: FaultPoint = kind.isCompressed ? .memberHalfWritten : .lineHalfWritten
        // The first member may belong to a file without entries.
        #expect(try run(kind, point: "\(half.rawValue):4").end.signal == SIGKILL)
        #expect(try run(kind, point: FaultPoint.resumeCut.rawValue).end.signal == SIGKILL)
        try finish(kind, "\(kind)")
      }
    }

    @Test(arguments: Kind.allCases, 1...3)
    func `a kill at any system call neither loses nor doubles an entry`(kind: Kind, seed: UInt64) async throws
    {
      try await onOwnThread {
        var generator = SeededGenerator(seed: seed)
        var kills: [String] = []
        for _ in 1...12 {
          let settings = [
            "die-at=\(Int.random(in: 1...150, using: &generator))",
            "publish=\(Int.random(in: 1...200, using: &generator))",
          ]
          kills += settings
          let result = try run(kind, settings)
          #expect(result.end.signal == SIGKILL || result.status == 0, "\(kills): \(result.errorText)")
        }
        try finish(kind, "\(kills)")
      }
    }
  }
#endif
