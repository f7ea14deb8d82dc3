import Platform
import Glibc

/// The local calendar, as the C library knows it.
enum LocalTime {
  /// The calendar fields of a moment.
  static func fields(at wallSeconds: Int64) -> tm {
    var seconds = time_t(wallSeconds)
    var fields = unsafe tm()
    unsafe localtime_r(&seconds, &fields)
    return unsafe fields
  }

  /// The calendar fields of a moment in UTC, for results that must not depend on the time zone.
  static func fieldsOfUTC(at seconds: Int64) -> tm {
    var seconds = time_t(seconds)
    var fields = unsafe tm()
    unsafe gmtime_r(&seconds, &fields)
    return unsafe fields
  }

  /// How many seconds local clocks are ahead of UTC.
  static func secondsAheadOfUTC(at wallSeconds: Int64) -> Int64 {
    unsafe Int64(fields(at: wallSeconds).tm_gmtoff)
  }

  /// Expands strftime conversions; nil when the result is empty or longer than a path may be.
  static func expand(_ template: String, _ fields: tm) -> String? {
    var fields = unsafe fields
    var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
    let count = unsafe strftime(&buffer, buffer.count, template, &fields)
    return count > 0 ? String(nulTerminated: buffer) : nil
  }
}
