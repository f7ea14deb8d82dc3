import Glibc
import TestSupport
import Testing

/// Real logs with damage at many places; `Scripts/damage-check` tries far more.
struct DamageTests {
  struct Log: Sendable, CustomTestStringConvertible {
    let fixture: String, member: String, mode: String

    var testDescription: String { "\(member) of \(fixture), \(mode)" }
  }

  static let logs: [Log] = ["read", "salvage", "convert"].flatMap { mode in
    ["old-2.1", "old-3.0", "5.2", "9.0"].map { Log(fixture: $0, member: "capture.vsl", mode: mode) } + [
      Log(fixture: "frozen-7.1", member: "instance/_.vsm_child/_.Log.418c7c5ad41c1cd5", mode: mode),
      Log(fixture: "frozen-8.0", member: "instance/_.vsm_child", mode: mode),
    ]
  }

  /// How many damages of each kind are tried; the environment variable raises it for a full check.
  private static let count = getenv("SPILLWAY_DAMAGES").flatMap { Int(String(cString: $0)) } ?? 3

  @Test(arguments: logs)
  func `a damaged log gives all lines in front of the damage`(log: Log) async throws {
    try await onOwnThread {
      let probe = try #require(Subject.builtExecutable("DamageProbe"))
      let directory = try TemporaryDirectory()
      let here = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(2).joined(
        separator: "/")
      let archive = "\(here)/CommandTests/Fixtures/\(log.fixture).tar.gz"
      let unpacked = try ProcessRunner.run("tar", "-xzf", archive, "-C", directory.path)
      try #require(unpacked.status == 0, "\(unpacked.errorText)")
      let path = try Self.file(directory.file(log.member))
      let scratch = directory.file("damaged")
      let asked = try ProcessRunner.run(probe, path, scratch, log.mode, "0", "0", "1")
      let cuts = try #require(Int(asked.text.dropFirst("cuts ".count).dropLast()), "\(asked.errorText)")
      // Some cuts in the middle, and the first changes.
      for first in [cuts / 2, cuts] {
        let result = try ProcessRunner.run(
          probe, path, scratch, log.mode, "\(first)", "\(first + Self.count)", "1")
        #expect(
          result.status == 0 && result.errorText.isEmpty, "\(result.end) \(result.text) \(result.errorText)")
        let last = try #require(result.text.split(separator: "\n").last).split(separator: " ")
        let (kilobytes, compared) = (Int(last[1]) ?? .max, Int(last[2]) ?? 0)
        #expect(last[0] == "done" && kilobytes < 256 << 10)
        // A ring that is cut may have lost its oldest part.
        let mayBeGone = first < cuts && log.member != "capture.vsl"
        #expect(log.mode == "convert" || mayBeGone || compared > 0)
      }
    }
  }

  /// A file, or the ring in a directory.
  private static func file(_ path: String) throws -> String {
    guard !path.hasSuffix("_.vsm_child") else {
      let listed = try ProcessRunner.run("ls", path)
      let name = try #require(listed.text.split(separator: "\n").first { $0.hasPrefix("_.Log") })
      return "\(path)/\(name)"
    }
    return path
  }
}
