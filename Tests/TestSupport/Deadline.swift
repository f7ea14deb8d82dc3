import Glibc

/// A moment on the monotonic clock by which something must have happened.
public struct Deadline: Sendable {
  private let nanoseconds: Int64

  /// The deadline that lies `duration` ahead.
  public static func after(_ duration: Duration) -> Deadline {
    let (seconds, attoseconds) = duration.components
    return Deadline(nanoseconds: now + seconds * 1_000_000_000 + attoseconds / 1_000_000_000)
  }

  /// A deadline that never passes.
  static let never = Deadline(nanoseconds: .max / 2)

  /// Whether the moment is over.
  public var hasPassed: Bool { Self.now >= nanoseconds }

  /// The absolute time that `pthread_cond_timedwait` takes.
  var timeSpecification: timespec {
    timespec(tv_sec: Int(nanoseconds / 1_000_000_000), tv_nsec: Int(nanoseconds % 1_000_000_000))
  }

  /// Sleeps until the deadline: for pacing a load or measuring over a while, not for awaiting an event.
  public func sleep() {
    var time = timeSpecification
    while clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, nil) == EINTR {}
  }

  private static var now: Int64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
  }
}

/// Evaluates `condition` again and again until it holds: for conditions that no descriptor announces, such as
/// the content of a file that another process writes.
///
/// - Returns: Whether it held before `deadline`.
public func poll(
  every interval: Duration = .milliseconds(20), until deadline: Deadline,
  _ condition: () throws(SupportError) -> Bool
) throws(SupportError) -> Bool {
  while true {
    if try condition() { return true }
    if deadline.hasPassed { return false }
    Deadline.after(interval).sleep()
  }
}
