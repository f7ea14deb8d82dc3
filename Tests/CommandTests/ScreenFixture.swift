import Glibc
import TestSupport

/// What is to be seen on a terminal, in a file under `Fixtures/screens`.
///
/// `SPILLWAY_KEEP_SCREENS` has what is seen written there.
enum ScreenFixture {
  /// Waits until the screen is that of a fixture.
  ///
  /// - Parameter anonymous: the screen without what differs from one run to the next.
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
