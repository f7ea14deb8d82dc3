import Glibc
import TestSupport

/// The expected content of a terminal's screen, in a file under `Fixtures/screens`.
///
/// With `SPILLWAY_KEEP_SCREENS`, the screens found are written there.
enum ScreenFixture {
  /// Waits until the screen equals a fixture.
  ///
  /// - Parameter anonymous: removes from the screen what differs between runs.
  static func expect(
    _ name: String, _ session: TmuxSession, _ anonymous: (String) -> String
  ) throws(SupportError) {
    let path =
      #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast()
      .joined(separator: "/") + "/Fixtures/screens/\(name).txt"
    if getenv("SPILLWAY_KEEP_SCREENS") != nil {
      usleep(2_500_000)
      return try writeFile(path, Array(anonymous(try session.screen()).utf8))
    }
    let expected = String(decoding: try readFile(path), as: UTF8.self)
    try session.wait(for: name) { anonymous($0) == expected }
  }
}
