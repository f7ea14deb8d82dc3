import LogConversion
import LogReading
import TestSupport
import Testing
import Transactions
import VarnishLog

/// Real logs, converted to the formats of other generations and back.
@Suite(.needs(.spillway))
struct ThereAndBackTests {
  struct Way: Sendable, CustomTestStringConvertible {
    let fixture: String
    let own: TagNumbering, other: TagNumbering

    var testDescription: String { "\(fixture) as \(other.releases)" }
  }

  private static let fixtures: [(String, TagNumbering)] = [
    ("old-2.1", .v21), ("old-3.0", .v30), ("5.2", .v41), ("7.1", .v41), ("8.0", .v73), ("9.0", .v90),
  ]

  static let ways: [Way] = fixtures.flatMap { fixture, own in
    TagNumbering.allCases.filter { $0 != own }.map { Way(fixture: fixture, own: own, other: $0) }
  }

  @Test(arguments: ways) func `gives the same lines`(way: Way) async throws {
    try await onOwnThread {
      let directory = try TemporaryDirectory()
      let here = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(2).joined(
        separator: "/")
      let archive = "\(here)/CommandTests/Fixtures/\(way.fixture).tar.gz"
      let unpacked = try ProcessRunner.run("tar", "-xzf", archive, "-C", directory.path)
      try #require(unpacked.status == 0, "\(unpacked.errorText)")
      let (from, there, back) = (
        directory.file("capture.vsl"), directory.file("there"), directory.file("back")
      )
      try writeFile(there, Converter.convert(from, from: way.own, to: way.other))
      try writeFile(back, Converter.convert(there, from: way.other, to: way.own))
      for arguments in [[], ["--compat", "7.1", "-F", Self.format]] {
        let expected = try Self.lines(from, way.own, arguments)
        try #require(expected.count > 50)
        // A group is shown when it has ended; a log without transactions doesn't record this, so the order
        // may differ.
        let found = try Self.lines(back, way.own, arguments)
        let changes = found.sorted().difference(from: expected.sorted())
        let count = changes.count
        #expect(count == 0, "\(changes.prefix(4))")
      }
    }
  }

  private static let format =
    #"%h %u %t "%r" %s %b "%{Referer}i" %{Varnish:hitmiss}x %{Varnish:handling}x %D %I %O"#
    + " %{Varnish:time_firstbyte}x"

  private static func lines(_ path: String, _ numbering: TagNumbering, _ arguments: [String]) throws
    -> [String]
  {
    let release = ["2.0", "2.1", "3.0", "4.0", "7.1", "8.0", "9.0"].first {
      VarnishVersion(parsing: $0).map { TagNumbering(of: $0) } == numbering
    }
    var command = try Subject.found().ncsa(["--from", try #require(release), "-r", path] + arguments)
    command.environment = ["TZ": "UTC", "LC_ALL": "C", "SPILLWAY_COMPAT": nil]
    let result = try ProcessRunner.run(command)
    #expect(result.status == 0, "\(result.errorText)")
    return result.text.split(separator: "\n").map(String.init)
  }
}

/// Converts the requests of a file.
private enum Converter {
  static func convert(_ path: String, from own: TagNumbering, to other: TagNumbering) throws -> [UInt8] {
    let file = try LogFile(path: path, from: own)
    switch file.kind {
    case .narrow: return try convert(FileRecords<NarrowRecords>(file, assuming: nil, knowing: own), to: other)
    case .wide: return try convert(FileRecords<WideRecords>(file, assuming: nil, knowing: own), to: other)
    case .old(.v20): return try convert(LegacyFileRecords<Records20>(file), to: other)
    case .old(.v21): return try convert(LegacyFileRecords<Records21>(file), to: other)
    case .old: return try convert(LegacyFileRecords<Records30>(file), to: other)
    }
  }

  private static func convert<Source: LogFileSource & ~Copyable>(
    _ records: consuming Source, to other: TagNumbering
  ) throws -> [UInt8] {
    var source = records
    try source.begin()
    if let single = source.singleNumbering, other.isOld {
      return try convertSingles(source, from: single, to: other)
    }
    var translator = GenerationTranslator(from: source.numbering, to: other)
    var grouper = Grouper<Source.Layout>(
      options: GroupingOptions(
        grouping: .request, candidateRule: .everything, wantsClient: true, wantsBackend: true, wantsESI: true),
      tags: TagTable(source.numbering))
    var bytes = translator.fileHeader
    while case .records(let run) = try source.next() {
      _ = Source.recordsStandAlone ? grouper.addEach(run) : grouper.add(run)
      while let group = grouper.next() { translator.append(group, to: &bytes) }
    }
    return bytes
  }

  private static func convertSingles<Source: LogFileSource & ~Copyable>(
    _ records: consuming Source, from own: TagNumbering, to other: TagNumbering
  ) throws -> [UInt8] {
    var source = records
    source.includesUnattributed = true
    var translator = GenerationTranslator(from: own, to: other)
    var bytes = translator.fileHeader
    while case .records(let run) = try source.next() {
      var cursor = run.makeCursor()
      guard run.shape == .single, let record = cursor.next() else { continue }
      translator.append(single: record, to: &bytes)
    }
    return bytes
  }
}
