import Shipping

/// The fields of the line of one transaction.
///
/// Rendering escapes control characters in values, so a TAB only ever separates two fields.
@safe struct RequestLine {
  /// The format of these lines.
  static let format =
    "%{Varnish:side}x\t%{Host}i\t%m\t%s\t%{Varnish:handling}x\t%{VSL:BackendOpen[2]}x\t%D\t"
    + "%{Varnish:time_firstbyte}x\t%I\t%O"
  private static let fieldCount = 10

  let side: RequestSide
  private let fields: [10 of UnsafeRawBufferPointer]

  /// Splits a line into its fields; nil if it isn't of this format.
  init?(_ line: UnsafeRawBufferPointer) {
    var fields = unsafe [10 of UnsafeRawBufferPointer](
      repeating: UnsafeRawBufferPointer(start: nil, count: 0))
    var (start, count) = (0, 0)
    let hasEnd = unsafe line.last == UInt8(ascii: "\n")
    let end = hasEnd ? line.count - 1 : line.count
    for index in 0...end {
      let isEnd = unsafe index == end || line[index] == UInt8(ascii: "\t")
      guard isEnd else { continue }
      guard count < Self.fieldCount else { return nil }
      unsafe fields[count] = UnsafeRawBufferPointer(rebasing: line[start..<index])
      (start, count) = (index + 1, count + 1)
    }
    guard count == Self.fieldCount, let letter = unsafe fields[0].first else { return nil }
    side = letter == UInt8(ascii: "b") ? .backend : .client
    unsafe self.fields = fields
  }

  /// The line's value for a label, before the number of values is limited.
  func text(of label: RequestLabel) -> UnsafeRawBufferPointer {
    switch label {
    case .host: unsafe Self.withoutPort(fields[1])
    case .method: unsafe fields[2]
    case .status: unsafe fields[3]
    case .handling: unsafe fields[4]
    case .backend: unsafe Self.withoutVCL(fields[5])
    }
  }

  /// The transaction's duration in microseconds; nil if the log doesn't have it.
  var duration: UInt64? { unsafe Self.believable(LoggedNumber.whole(fields[6])) }

  /// The time until the first byte of the response in microseconds; nil if the log doesn't have it.
  var firstByte: UInt64? { unsafe Self.believable(LoggedNumber.microseconds(fields[7])) }

  /// Bytes that were received from the client, or from the backend.
  var receivedBytes: UInt64 {
    unsafe Self.believable(LoggedNumber.whole(fields[side == .client ? 8 : 9])) ?? 0
  }

  /// Bytes that were sent to the client, or to the backend.
  ///
  /// In lines of fetches `%I` is what was sent to the backend, and `%O` what was received from it.
  var sentBytes: UInt64 { unsafe Self.believable(LoggedNumber.whole(fields[side == .client ? 9 : 8])) ?? 0 }

  /// A host without its port; the colons of an IPv6 address in brackets don't count.
  private static func withoutPort(_ host: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
    var end = host.count
    while end > 0, unsafe isDigit(host[end - 1]) { end -= 1 }
    guard end > 1, unsafe host[end - 1] == UInt8(ascii: ":") else { return unsafe host }
    return unsafe UnsafeRawBufferPointer(rebasing: host[..<(end - 1)])
  }

  /// A backend without the name of its VCL if that name depends on how the VCL was loaded, as in the labels
  /// of the server's counters.
  private static func withoutVCL(_ backend: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
    guard let point = unsafe backend.firstIndex(of: UInt8(ascii: ".")) else { return unsafe backend }
    let vcl = unsafe backend[..<point]
    guard unsafe vcl.elementsEqual("boot".utf8) || vcl.starts(with: "reload_".utf8) else {
      return unsafe backend
    }
    return unsafe UnsafeRawBufferPointer(rebasing: backend[(point + 1)...])
  }

  private static func isDigit(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "0") < 10 }

  /// The largest plausible time or size; a larger number is an error in the log.
  private static let numberMax: UInt64 = 1 << 53

  private static func believable(_ number: UInt64?) -> UInt64? {
    number.flatMap { $0 <= numberMax ? $0 : nil }
  }
}
