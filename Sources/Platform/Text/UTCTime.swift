import Glibc

/// Times in UTC, for programs and for users in any time zone.
package enum UTCTime {
  /// As in `2026-11-28T18:00:00Z`.
  package static func text(_ secondsSince1970: Int64) -> String {
    var time = time_t(secondsSince1970)
    var fields = unsafe tm()
    guard unsafe gmtime_r(&time, &fields) != nil else { return "" }
    var buffer = [CChar](repeating: 0, count: 64)
    let count = unsafe strftime(&buffer, buffer.count, "%Y-%m-%dT%H:%M:%SZ", &fields)
    return String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}
