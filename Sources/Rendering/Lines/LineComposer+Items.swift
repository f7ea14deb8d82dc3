import Transactions
import VarnishLog

/// Pieces that few formats have, written piece by piece in place of a step of the program.
extension LineComposer {
  /// Writes a piece that has no step of its own.
  mutating func put(
    itemAt index: Int, _ values: CapturedValues, to line: inout LineWriter
  ) {
    switch items[index] {
    case .time: putNumber(itemAt: index, values, to: &line)
    case .side where placements[index] == .number: putMissingNumber(items[index], to: &line)
    case .timeNumber(.timestamp): putMissingNumber(items[index], to: &line)
    default:
      switch placements[index] {
      case .text, .word, .column, .name, .httpProtocol: put(valueOfItemAt: index, values, to: &line)
      case .string: putString(itemAt: index, values, to: &line)
      case .number: putNumber(itemAt: index, values, to: &line)
      }
    }
  }

  /// Writes the value of a piece, or its replacement if it is missing.
  ///
  /// - Returns: whether there was a value.
  @discardableResult
  private mutating func put(
    valueOfItemAt index: Int, _ values: CapturedValues, to line: inout LineWriter
  ) -> Bool {
    let item = items[index]
    let value = slotOfItem[index].flatMap { values[$0] }
    let escaper = escapers[placements[index]]
    func put(_ value: LogBytes?, or missing: [UInt8], to line: inout LineWriter) -> Bool {
      guard let value, value.count > 0 || !style.missesEmpty else {
        unsafe missing.withUnsafeBytes { unsafe line.put($0) }
        return false
      }
      escaper.put(value, to: &line)
      return true
    }
    switch item {
    case .field(let field):
      switch field {
      case .status, .bytesReceived, .bodyBytesSent, .bytesSent:
        return put(value, or: style.missingNumber, to: &line)
      case .firstByte: return put(value, or: style.missingFirstByte, to: &line)
      case .queryString: return put(value, or: style.missingQuery, to: &line)
      case .httpProtocol:
        guard let value, placements[index] != .httpProtocol || Self.isProtocol(value) else {
          line.put("HTTP/1.0")
          return true
        }
        escaper.put(value, to: &line)
      case .remoteAddress, .method, .url: return put(value, or: style.missingText, to: &line)
      }
    case .requestHeader, .responseHeader, .record:
      return put(value, or: style.missingText, to: &line)
    case .logKey: return put(value, or: style.missingLogKey, to: &line)
    case .requestLine: putRequestLine(values, to: &line)
    case .user: return put(user(values), or: style.missingUser, to: &line)
    case .time:
      if let clock = clockOfItem[index] { unsafe clocks[clock].put(startSecond, to: &line) }
    case .timeNumber(let number): self.put(number, to: &line)
    case .duration(let unit): self.put(unit, to: &line)
    case .hitMiss: return self.put(values.hitMiss, to: &line)
    case .handling: return self.put(values.handling, to: &line)
    case .query, .protocolVersion, .host:
      return put(value.flatMap { part($0, for: item) }, or: style.missingText, to: &line)
    case .port(let fallback):
      let missing = fallback ?? style.missingNumber
      return put(value.flatMap { part($0, for: item) }, or: missing, to: &line)
    case .clientPort: return put(value.flatMap(HostAndPort.port), or: style.missingNumber, to: &line)
    case .literal, .side, .vxid: break
    }
    return true
  }

  /// The part of a value that a piece shows; nil if the value has no such part.
  private func part(_ value: LogBytes, for item: FormatItem) -> LogBytes? {
    switch item {
    case .query: value.count > 1 ? value.dropFirst(1) : nil
    case .protocolVersion:
      value.firstIndex(of: UInt8(ascii: "/")).map { value.dropFirst($0 + 1) }
    // Columns allow one colon, with a port behind the name, but not those of an address.
    case .host: HostAndPort(value, allowsAddress: style.escaping != .columns(.quoted)).host
    case .port: HostAndPort(value, allowsAddress: style.escaping != .columns(.quoted)).port
    default: value
    }
  }

  private func put(_ handling: Handling, to line: inout LineWriter) -> Bool {
    guard handling != .none else {
      unsafe style.missingHandling.withUnsafeBytes { unsafe line.put($0) }
      return false
    }
    line.put(handling.text)
    return true
  }

  /// Writes a whole JSON string, or its replacement without quotation marks.
  private mutating func putString(
    itemAt index: Int, _ values: CapturedValues, to line: inout LineWriter
  ) {
    let before = line
    line.put(UInt8(ascii: "\""))
    if put(valueOfItemAt: index, values, to: &line) {
      line.put(UInt8(ascii: "\""))
    } else {
      line = before
      unsafe style.missingString.withUnsafeBytes { unsafe line.put($0) }
    }
  }

  /// Writes a value where only a number is allowed, or its replacement.
  private mutating func putNumber(
    itemAt index: Int, _ values: CapturedValues, to line: inout LineWriter
  ) {
    let before = line
    let isThere = put(valueOfItemAt: index, values, to: &line)
    guard !line.overflowed else { return }
    if isThere, LogNumber.isJSON(line.written(since: before.count)) { return }
    line = before
    putMissingNumber(items[index], to: &line)
  }

  private func putMissingNumber(_ item: FormatItem, to line: inout LineWriter) {
    if case .port(let fallback?) = item {
      unsafe fallback.withUnsafeBytes { unsafe line.put($0) }
    } else {
      unsafe style.missingBareNumber.withUnsafeBytes { unsafe line.put($0) }
    }
  }

  /// Whether a text is a version of HTTP.
  private static func isProtocol(_ text: LogBytes) -> Bool {
    unsafe text.count > 5 && text.count <= 8 && text.prefix(5).equals("HTTP/")
      && text.dropFirst(5).buffer.allSatisfy { ASCII.isDigit($0) || $0 == UInt8(ascii: ".") }
  }

  private mutating func putProtocol(_ value: LogBytes?, to line: inout LineWriter) {
    if let value, value.count > 0 || !style.missesEmpty {
      escapers[.text].put(value, to: &line)
    } else {
      line.put("HTTP/1.0")
    }
  }

  /// Writes method, absolute URL and protocol (`ncsa-format.md` 5.3), where they aren't written as separate
  /// steps.
  ///
  /// It is `mutating` although it changes nothing: a method that only borrows `self` is passed a copy of it.
  private mutating func putRequestLine(_ values: CapturedValues, to line: inout LineWriter) {
    typealias Field = FormatItem.Field
    if let method = values[Field.method.rawValue] {
      escapers[.text].put(method, to: &line)
    } else {
      line.put("-")
    }
    line.put(" ")
    if let host = values[CapturePlan.Slot.host] {
      put(host: host, to: &line)
    } else {
      line.put("http://localhost")
    }
    if let url = values[Field.url.rawValue] {
      escapers[.text].put(url, to: &line)
    } else if !rules.since(4, 0) {
      line.put("-")
    }
    if let query = values[Field.queryString.rawValue] { escapers[.text].put(query, to: &line) }
    line.put(" ")
    putProtocol(values[Field.httpProtocol.rawValue], to: &line)
  }
}
