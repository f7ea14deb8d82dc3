import VarnishLog

/// Adds to a request of today what a request in a single file has, whose readers know neither `Begin` nor
/// `End`.
///
/// In 3.0 a request on a connection begins with `ReqStart`, which has its number, and is over with `ReqEnd`, which has
/// the times; a fetch begins with `BackendXID` and is over when the connection can be used again (`vsl-tags.md` 8).
/// Records of these kinds that the caller writes itself are left as they are.
struct OldRequest {
  /// What is to be written for a record.
  enum Answer {
    /// The record as it is.
    case asItIs
    /// Another one in its place.
    case instead(Tag, String)
    /// Another one in front of it.
    case before(Tag, String)
    /// Nothing.
    case nothing
  }

  private enum State {
    /// No request or fetch is known to have begun.
    case idle
    /// A request or fetch has begun, and its first record wasn't written.
    case begun
    case open
  }

  private var state = State.idle
  private var number: UInt32 = 0
  private var isFetch = false
  /// When the request came, the last time that a record told, and the time between the two.
  private var times: (start: String, end: String, since: String)?

  /// The address and port of a client that isn't known.
  private static let nowhere = "0.0.0.0 0"

  /// Notes a record that is to be written, and decides what is written for it.
  mutating func take(_ tag: Tag, _ text: UnsafeRawBufferPointer, vxid: UInt64) -> Answer {
    switch tag {
    case .begin: return unsafe begin(Self.fields(text), vxid)
    case .timestamp:
      unsafe note(Self.fields(text))
      return .nothing
    case .reqEnd, .backendClose, .backendReuse:
      state = .idle
      return .asItIs
    case .end: return end()
    case .reqStart:
      guard case .begun = state, !isFetch else { return .asItIs }
      state = .open
      let fields = unsafe Self.fields(text)
      guard fields.count >= 2 else { return .instead(.reqStart, "\(Self.nowhere) \(number)") }
      return .instead(.reqStart, "\(fields[0]) \(fields[1]) \(number)")
    default:
      guard case .begun = state, !isFetch else { return .asItIs }
      state = .open
      return .before(.reqStart, "\(Self.nowhere) \(number)")
    }
  }

  private mutating func begin(_ fields: [Substring], _ vxid: UInt64) -> Answer {
    times = nil
    state = .idle
    switch fields.first {
    case "req":
      (state, isFetch) = (.begun, false)
      number = UInt32(truncatingIfNeeded: vxid)
      return .nothing
    case "bereq":
      (state, isFetch) = (.open, true)
      return .instead(.backendXID, fields.count > 1 ? String(fields[1]) : "0")
    default: return .nothing
    }
  }

  private mutating func end() -> Answer {
    guard case .open = state else { return .nothing }
    state = .idle
    if isFetch { return .instead(.backendReuse, "default") }
    let zero = "0.000000000"
    let (start, end, since) = times ?? (zero, zero, zero)
    return .instead(.reqEnd, "\(number) \(start) \(end) \(zero) \(since) \(zero)")
  }

  /// Notes the times in a `Timestamp`: `LABEL: TIME SINCE_FIRST SINCE_LAST`.
  private mutating func note(_ fields: [Substring]) {
    guard fields.count >= 3 else { return }
    times = (times?.start ?? String(fields[1]), String(fields[1]), String(fields[2]))
  }

  private static func fields(_ text: UnsafeRawBufferPointer) -> [Substring] {
    unsafe String(decoding: text, as: UTF8.self).split(separator: " ", maxSplits: 4)
  }
}
