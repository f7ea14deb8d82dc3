import Glibc
public import Testing

extension Trait where Self == TimeLimitTrait {
  /// A limit on the time that a test may take, in minutes.
  ///
  /// `SPILLWAY_TEST_PATIENCE` is a factor for all limits, where everything is slower, as under a sanitizer.
  public static func limit(minutes: Int) -> Self {
    let factor = getenv("SPILLWAY_TEST_PATIENCE").flatMap { Int(String(cString: $0)) } ?? 1
    return .timeLimit(.minutes(minutes * max(1, factor)))
  }
}
