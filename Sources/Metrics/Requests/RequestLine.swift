import Shipping

/// What the line of one transaction tells, and where it stands.
///
/// Rendering escapes control characters in values, so a TAB is what stands between two of them.
@safe struct RequestLine {
  /// The format of these lines.
  static let format =
    "%{Varnish:side}x\t%{Host}i\t%m\t%s\t%{Varnish:handling}x\t%{VSL:BackendOpen[2]}x\t%D\t"
    + "%{Varnish:time_firstbyte}x\t%I\t%O"
  private static let fieldCount = 10

  let side: RequestSide
  private let fields: [10 of UnsafeRawBufferPointer]

  /// Takes a line apart; nil if it is none of these.
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

  /// What the line has for a label, before it is made one of few.
  func text(of label: RequestLabel) -> UnsafeRawBufferPointer {
    switch label {
    case .host: unsafe Self.withoutPort(fields[1])
    case .method: unsafe fields[2]
    case .status: unsafe fields[3]
    case .handling: unsafe fields[4]
    case .backend: unsafe Self.withoutVCL(fields[5])
    }
  }

  /// How long it took, in microseconds; nil if the log doesn't have it.
  var duration: UInt64? { unsafe Self.believable(LoggedNumber.whole(fields[6])) }

  /// How long until the first byte of the response, in microseconds.
  var firstByte: UInt64? { unsafe Self.believable(LoggedNumber.microseconds(fields[7])) }

  /// Bytes that were received from the client, or from the backend.
  var receivedBytes: UInt64 {
    unsafe Self.believable(LoggedNumber.whole(fields[side == .client ? 8 : 9])) ?? 0
  }

  /// Bytes that were sent there.
  ///
  /// In lines of fetches `%I` is what was sent to the backend, and `%O` what came from there.
  var sentBytes: UInt64 { unsafe Self.believable(LoggedNumber.whole(fields[side == .client ? 9 : 8])) ?? 0 }

  /// A host without its port; the colons of an address in brackets are its own.
  private static func withoutPort(_ host: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
    var end = host.count
    while end > 0, unsafe isDigit(host[end - 1]) { end -= 1 }
    guard end > 1, unsafe host[end - 1] == UInt8(ascii: ":") else { return unsafe host }
    return unsafe UnsafeRawBufferPointer(rebasing: host[..<(end - 1)])
  }

  /// A backend without the VCL that it is of, where that is named after how it was loaded; as the server's counters have
  /// it.
  private static func withoutVCL(_ backend: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
    guard let point = unsafe backend.firstIndex(of: UInt8(ascii: ".")) else { return unsafe backend }
    let vcl = unsafe backend[..<point]
    guard unsafe vcl.elementsEqual("boot".utf8) || vcl.starts(with: "reload_".utf8) else {
      return unsafe backend
    }
    return unsafe UnsafeRawBufferPointer(rebasing: backend[(point + 1)...])
  }

  private static func isDigit(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "0") < 10 }

  /// The longest time or size that makes sense: more would be a mistake of the log's.
  private static let numberMax: UInt64 = 1 << 53

  private static func believable(_ number: UInt64?) -> UInt64? {
    number.flatMap { $0 <= numberMax ? $0 : nil }
  }
}
