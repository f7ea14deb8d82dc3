import VarnishLog

/// What payloads of 2.0 to 3.0 say, in the words of later releases.
enum OldPayload {
  static func number(_ text: LogBytes) -> UInt32? {
    let text = text.trimmed
    guard (1...10).contains(text.count) else { return nil }
    var number: UInt64 = 0
    for index in 0..<text.count {
      guard ASCII.isDigit(text[index]) else { return nil }
      number = number * 10 + UInt64(text[index] - 0x30)
    }
    return UInt32(exactly: number)
  }

  /// What today's `SessOpen` begins with, made of `IP PORT LISTENER` or `IP PORT IP PORT`.
  static func peer(_ payload: LogBytes) -> String {
    let fields = (1...4).map { payload.field($0)?.text }
    let remote = "\(fields[0] ?? "0.0.0.0") \(fields[1] ?? "0")"
    guard let third = fields[2] else { return "\(remote) a0 0.0.0.0 0" }
    if let fourth = fields[3] { return "\(remote) a0 \(third) \(fourth)" }
    // A listener has the address that it listens on for a name.
    guard let colon = third.lastIndex(of: ":") else { return "\(remote) \(third) 0.0.0.0 0" }
    let address = third[..<colon]
    let port = third[third.index(after: colon)...]
    return
      "\(remote) \(third) \(address.isEmpty ? "0.0.0.0" : String(address)) \(port.isEmpty ? "0" : String(port))"
  }

  /// The backend's name, the far end and this end, made of `NAME IP PORT IP PORT`, which has this end first.
  static func backend(_ payload: LogBytes) -> String? {
    let fields = (1...5).map { payload.field($0)?.text }
    guard let name = fields[0] else { return nil }
    guard let localAddress = fields[1], let localPort = fields[2], let address = fields[3],
      let port = fields[4]
    else { return "\(name) 0.0.0.0 0 0.0.0.0 0" }
    return "\(name) \(address) \(port) \(localAddress) \(localPort)"
  }

  /// Today's word for why a connection was closed.
  static func closeReason(_ payload: LogBytes) -> String {
    switch payload.text {
    case "EOF", "no request": "REM_CLOSE"
    case "Connection: close": "REQ_CLOSE"
    case "pipe": "TX_PIPE"
    case "timeout": "RX_TIMEOUT"
    case "error": "TX_ERROR"
    case let other: String(other.uppercased().map { $0.isWhitespace ? "_" : $0 })
    }
  }
}

/// What `ReqEnd` says of when a request came and was answered: `XID START END WAITED PROCESSED DELIVERED`.
struct RequestTimes {
  private(set) var start: String?
  /// When the connection was accepted, if the request is the first one on it.
  private(set) var accepted: String?
  /// The values of a timestamp each.
  private(set) var firstByte: String?, end: String?

  init(_ payload: LogBytes?) {
    guard let payload, let start = payload.field(2), let startTime = OldTime.nanoseconds(start) else {
      return
    }
    self.start = start.text
    if let waited = payload.field(4).flatMap(OldTime.nanoseconds) {
      accepted = OldTime.text(startTime - waited)
    }
    let processed = payload.field(5)
    let processedTime = processed.flatMap(OldTime.nanoseconds)
    if let processed, let processedTime {
      let (sum, overflows) = startTime.addingReportingOverflow(processedTime)
      if !overflows { firstByte = "\(OldTime.text(sum)) \(processed.text) \(processed.text)" }
    }
    guard let end = payload.field(3), let endTime = OldTime.nanoseconds(end) else { return }
    let last =
      payload.field(6).flatMap { OldTime.nanoseconds($0) == nil ? nil : $0.text }
      ?? OldTime.text(endTime - startTime)
    self.end = "\(end.text) \(OldTime.text(endTime - startTime)) \(last)"
  }
}
