import Platform

/// A line that is written in place of lost lines or groups.
public struct LossNotice: Sendable, Equatable {
  /// The cause as one word: `spool_full`, `overrun`.
  public var cause: String
  /// How many lines or groups are missing.
  public var count: Int
  /// Whether the count is an estimate.
  public var isEstimate: Bool
  /// When the first and the last of them were lost, in seconds since 1970.
  public var firstSeconds: Int64, lastSeconds: Int64

  /// A notice of a number of lost lines or groups.
  public init(cause: String, count: Int, isEstimate: Bool, firstSeconds: Int64, lastSeconds: Int64) {
    self.cause = cause
    self.count = count
    self.isEstimate = isEstimate
    self.firstSeconds = firstSeconds
    self.lastSeconds = lastSeconds
  }

  /// The notation of a notice.
  public enum Notation: Sendable {
    /// As an object with one member, `spillway_gap`.
    case json
    /// As `key=value` pairs, of which the first is `spillway_gap`.
    case logfmt
    /// As a line that begins with `#`, which most readers of access logs take for a comment.
    case comment
  }

  /// The line, with its newline.
  public func line(_ notation: Notation) -> [UInt8] {
    let (first, last) = (UTCTime.text(firstSeconds), UTCTime.text(lastSeconds))
    let text =
      switch notation {
      case .json:
        #"{"spillway_gap":{"cause":"\#(cause)","count":\#(count),"estimate":\#(isEstimate),"#
          + #""first":"\#(first)","last":"\#(last)"}}"#
      case .logfmt:
        "spillway_gap=\(cause) count=\(count) estimate=\(isEstimate) first=\(first) last=\(last)"
      case .comment:
        "# spillway gap: cause=\(cause) count=\(count) estimate=\(isEstimate) first=\(first) last=\(last)"
      }
    return Array(text.utf8) + [UInt8(ascii: "\n")]
  }
}

extension LineFormat {
  /// The notation of notices among lines of this format.
  public var noticeNotation: LossNotice.Notation {
    switch style.escaping {
    case .json, .jsonBytes: .json
    case .logfmt: .logfmt
    default: .comment
    }
  }
}
