import Glibc

/// Formats points in time and durations, given in microseconds, as logs and HTTP have them.
enum LogTime {
  /// Seconds with a number of digits after the point.
  static func seconds(_ microseconds: Int, digits: Int = 6) -> String {
    let fraction = String(microseconds % 1_000_000)
    let zeros = String(repeating: "0", count: 6 - fraction.count)
    return "\(microseconds / 1_000_000)." + (zeros + fraction).prefix(digits)
  }

  /// A point in time, since 1970, as in an HTTP header.
  static func date(_ microseconds: Int) -> String {
    var clock = time_t(microseconds / 1_000_000)
    var parts = unsafe tm()
    unsafe gmtime_r(&clock, &parts)
    let day = unsafe days[Int(parts.tm_wday)]
    let month = unsafe months[Int(parts.tm_mon)]
    let clockTime = unsafe [parts.tm_hour, parts.tm_min, parts.tm_sec].map(twoDigits).joined(separator: ":")
    return unsafe "\(day), \(twoDigits(parts.tm_mday)) \(month) \(parts.tm_year + 1900) \(clockTime) GMT"
  }

  private static func twoDigits(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }

  private static let days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
  private static let months = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
  ]
}

/// The times of one transaction, each with the time since the beginning and since the one before.
struct Timeline {
  private let origin: Int
  private var last: Int
  private(set) var now: Int

  /// - Parameter origin: when the work began, if that was before this transaction.
  init(start: Int, origin: Int? = nil) {
    self.origin = origin ?? start
    last = start
    now = start
  }

  /// The text of a time stamp, a number of microseconds after the one before.
  mutating func stamp(_ label: String, after span: Int = 0) -> String {
    last = now
    now += span
    return "\(label): \(LogTime.seconds(now)) \(LogTime.seconds(now - origin)) \(LogTime.seconds(now - last))"
  }
}
