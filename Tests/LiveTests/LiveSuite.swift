import Glibc
import TestSupport
import Testing

/// The program under test against a real varnishd, one test at a time.
///
/// `SPILLWAY_LIVE_REQUESTS` and `SPILLWAY_LIVE_SECONDS` change the size of the loads.
@Suite(.serialized, .needs(.varnishd), .limit(minutes: 5))
enum LiveSuite {
  /// How many requests a load has.
  static let requests = setting("SPILLWAY_LIVE_REQUESTS", default: 20_000)

  /// Over how many seconds a load is spread.
  static let seconds = setting("SPILLWAY_LIVE_SECONDS", default: 5)

  /// The usual load for an instance.
  static func load(on varnish: VarnishInstance) -> LoadPlan {
    LoadPlan(
      port: varnish.port, prefix: "load", count: requests, ratePerSecond: requests / seconds)
  }

  /// Ample time for the usual load.
  static var loadLimit: Deadline { .after(.seconds(seconds * 3 + 30)) }

  private static func setting(_ name: String, default value: Int) -> Int {
    getenv(name).flatMap { Int(String(cString: $0)) } ?? value
  }
}
