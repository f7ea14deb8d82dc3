import VarnishLog

/// One piece of a format, as it was written down.
enum FormatItem: Equatable {
  /// Text that is copied.
  case literal([UInt8])
  /// A value that is taken from the log unchanged.
  case field(Field)
  /// The request line as a proxy would see it.
  case requestLine
  /// The user name of basic authorisation.
  case user
  /// The start time by a format of strftime.
  case time(format: [UInt8], isUTC: Bool)
  /// The start time as a number.
  case timeNumber(TimeNumber)
  /// The duration of the transaction.
  case duration(DurationUnit)
  case requestHeader(name: [UInt8], rule: MatchRule?)
  case responseHeader(name: [UInt8], rule: MatchRule?)
  /// What was logged under a key with `std.log`.
  case logKey([UInt8])
  /// Any record's payload or one field of it.
  case record(tag: Tag, prefix: [UInt8]?, field: Int?)
  case hitMiss
  case handling
  case side
  case vxid
  /// The query string without its question mark.
  case query
  /// The protocol's version number alone.
  case protocolVersion
  /// The `Host` header without its port.
  case host
  /// The port in the `Host` header, or the fallback if it has none.
  case port(fallback: [UInt8]?)
  /// The port that the client's connection came from.
  case clientPort

  enum Field: Int, CaseIterable {
    case remoteAddress
    case method
    case url
    case queryString
    case httpProtocol
    case status
    case bytesReceived
    case bodyBytesSent
    case bytesSent
    case firstByte

    var isNumber: Bool {
      switch self {
      case .status, .bytesReceived, .bodyBytesSent, .bytesSent, .firstByte: true
      default: false
      }
    }
  }

  enum TimeNumber: UInt8 {
    case seconds
    case milliseconds
    case microseconds
    case millisecondsFraction
    case microsecondsFraction
    case nanoseconds
    /// RFC 3339 in UTC with microseconds.
    case timestamp
  }

  enum DurationUnit: UInt8 {
    case seconds
    case milliseconds
    case microseconds
    case nanoseconds
    /// Seconds with six decimals.
    case decimalSeconds
  }

  enum MatchRule {
    case first
    case last
  }

  /// Whether a line with this piece needs a start time.
  var needsStart: Bool {
    switch self {
    case .time, .timeNumber, .duration: true
    default: false
    }
  }

  /// Whether a line with this piece needs the time at the end as well.
  var needsEnd: Bool {
    if case .duration = self { return true }
    return false
  }

  /// Whether the piece shows only which second a start time is in.
  var isWholeSecond: Bool {
    if case .time = self { return true }
    return false
  }
}

/// Why a format can't be used.
///
/// The texts are those of the earlier tools, because users search for them.
public enum FormatError: Error, Equatable, Sendable, CustomStringConvertible {
  case unknownSpecifier(String)
  case unknownSpecifierInOldTool(String)
  case unmatchedBracket(String)
  case unknownDurationUnit(String)
  case unknownExtension(String)
  case unknownMatchRule(String)
  case missingTag(String)
  case unknownTag(String)
  case ambiguousTag(String)
  case flaggedTag(String)
  case fieldOutOfRange(String, limited: Bool)
  case timeTooLong(byteCountMax: Int)
  case syntax(String)

  /// The error in one line.
  public var description: String {
    switch self {
    case .unknownSpecifier(let rest): "Unknown format specifier at: \(rest)"
    case .unknownSpecifierInOldTool(let rest): "Unknown format starting at: \(rest)"
    case .unmatchedBracket(let rest): "Unmatched bracket at: \(rest)"
    case .unknownDurationUnit(let unit): "Unknown specifier: %{\(unit)}T"
    case .unknownExtension(let name): "Unknown formatting extension: \(name)"
    case .unknownMatchRule(let rule): "Unknown match rule \(rule)"
    case .missingTag(let name): "Missing tag in \(name)"
    case .unknownTag(let name): "Unknown log tag: \(name)"
    case .ambiguousTag(let name): "Tag not unique: \(name)"
    case .flaggedTag(let name): "Tag \(name) can contain control characters"
    case .fieldOutOfRange(let text, let limited):
      limited
        ? "Syntax error. Field specifier must be between 1 and 255: \(text)"
        : "Syntax error. Field specifier must be positive: \(text)"
    case .timeTooLong(let count): "a time would be longer than \(count) bytes"
    case .syntax(let text): "Syntax error: \(text)"
    }
  }
}
