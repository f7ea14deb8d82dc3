import Glibc
import LogReading
import Platform
import VarnishLog

/// Two looks at a log that is being written, some time apart: how much was written in between.
///
/// Only the heads and the newest records are looked at, and the log is mapped read-only.
public struct LiveSample: Sendable {
  /// How many bytes were written, and in how many seconds.
  public let byteCount: UInt64, seconds: Double

  /// What one look has shown.
  private struct Look {
    let position: LogPosition
    let nanoseconds: Int64
  }

  /// How long a log that is just beginning a turn is waited for, and in which steps.
  private static let waits = 50, waitMicroseconds: UInt32 = 2000

  /// Looks at an instance's log, waits, and looks again.
  ///
  /// - Returns: nil if there is no log at either time, or another one.
  public static func take(of directory: String, seconds: Double) -> LiveSample? {
    guard let first = look(at: directory) else { return nil }
    pause(seconds)
    guard let second = look(at: directory), second.position.incarnation == first.position.incarnation,
      second.position.place >= first.position.place, second.nanoseconds > first.nanoseconds
    else { return nil }
    return LiveSample(
      byteCount: second.position.place - first.position.place,
      seconds: Double(second.nanoseconds - first.nanoseconds) / 1e9)
  }

  private static func look(at directory: String) -> Look? {
    var follower = InstanceFollower(path: directory)
    for _ in 0..<waits {
      follower.refresh()
      let now = SystemClock.steadyNanoseconds
      if let ring = try? follower.attach(start: .tail, stopsAtTail: false) {
        return ring.countsTurns ? Look(position: ring.nextPosition, nanoseconds: now) : nil
      }
      usleep(waitMicroseconds)
    }
    return nil
  }

  /// Waits.
  public static func pause(_ seconds: Double) {
    let end = SystemClock.steadyNanoseconds + Int64(seconds * 1e9)
    while case let left = end - SystemClock.steadyNanoseconds, left > 0 {
      // In steps of at most half a second, as the call takes less than a second.
      usleep(UInt32(min(left / 1000 + 1, 500_000)))
    }
  }
}
