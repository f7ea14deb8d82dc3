public import Transactions
public import VarnishLog

/// Makes lines of transactions: a compiled format, with the memory it needs to run.
@safe public struct LineRenderer: ~Copyable {
  // Invariant: the texts of `steps` lie in `pool`, `scratch` has room for the longest payload, and all of that is
  // freed in `deinit` alone.

  private let items: [FormatItem]
  private let placements: [ValuePlacement]
  private let rules: NCSARules
  private let style: LineStyle
  /// For values with nothing around them that matters, for words in quotation marks, and for columns without.
  private let escaper: Escaper
  private let wordEscaper: Escaper
  private let columnEscaper: Escaper
  private let nameEscaper: Escaper
  private var captures: Captures
  private var steps: [RenderStep] = []
  private let pool: TextPool
  private var clocks: [ClockText] = []
  /// The clocks of times that are looked at before they are written, by their place in the format.
  private var clockOfItem: [Int: Int] = [:]
  /// The clock of RFC 3339 times; one serves them all.
  private var timestampClock = 0
  private let needsStart: Bool
  /// Where user names are decoded.
  private let scratch: UnsafeMutableRawBufferPointer
  private var startSeconds = 0.0
  private var endSeconds = 0.0

  /// What came of a transaction.
  public enum Outcome: Sendable {
    /// A line was written, or as much of it as there was room for.
    case line
    /// The transaction gives no line.
    case noLine
  }

  /// Compiles a format for a log.
  public init(_ format: borrowing LineFormat, tags: TagTable) {
    items = format.items
    placements = format.placements
    rules = format.rules
    style = format.style
    let escaping = format.style.escaping
    escaper = Escaper(escaping)
    let isColumns = escaping == .columns(.quoted)
    wordEscaper = Escaper(isColumns ? .columns(.word) : escaping)
    columnEscaper = Escaper(isColumns ? .columns(.bare) : escaping)
    nameEscaper = Escaper(
      isColumns ? .columns(.name) : escaping == .w3c(isName: false) ? .w3c(isName: true) : escaping)
    let plan = CapturePlan(
      format.items, rules: format.rules, isJSON: format.takesAllTags, tags: tags)
    captures = Captures(plan, rules: format.rules)
    needsStart = format.items.contains(where: \.needsStart)
    unsafe scratch = .allocate(byteCount: RecordHeader.payloadByteCountMax + 1, alignment: 1)
    var places: [PooledText] = unsafe []
    pool = unsafe TextPool(
      zip(format.items, format.placements).map {
        $1 == .number ? format.style.missingBareNumber : Self.constantText(of: $0, format.style) ?? []
      }, places: &places)
    for (index, item) in format.items.enumerated() {
      let slot = plan.slotOfItem[index]
      let placement = format.placements[index]
      let isPlain = placement == .text && !format.style.missesEmpty
      switch item {
      case .literal: unsafe steps.append(.literal(places[index]))
      case .time(let text, let isUTC):
        clockOfItem[index] = clocks.count
        steps.append(placement == .number ? .item(index) : .time(clock: clocks.count))
        clocks.append(ClockText(format: text, isUTC: isUTC))
      case .timeNumber(.timestamp):
        timestampClock = clocks.count
        clocks.append(ClockText(format: Array("%Y-%m-%dT%H:%M:%S".utf8), isUTC: true))
        steps.append(.item(index))
      case .requestLine where isPlain: steps.append(.requestLine)
      case .user where isPlain: unsafe steps.append(.user(missing: places[index]))
      default:
        guard let slot, item != .user, Self.constantText(of: item, format.style) != nil else {
          steps.append(.item(index))
          continue
        }
        switch placement {
        case .text where isPlain: unsafe steps.append(.value(slot: slot, missing: places[index]))
        case .number: unsafe steps.append(.number(slot: slot, missing: places[index]))
        case .text, .word, .column:
          unsafe steps.append(.column(slot: slot, missing: places[index], placement))
        case .string, .name, .httpProtocol: steps.append(.item(index))
        }
      }
    }
  }

  deinit {
    unsafe scratch.deallocate()
    escaper.deallocate()
    wordEscaper.deallocate()
    columnEscaper.deallocate()
    nameEscaper.deallocate()
    pool.deallocate()
  }

  /// A literal's text, or what stands for a value that is printed as it was logged; nil for what takes more.
  private static func constantText(of item: FormatItem, _ style: LineStyle) -> [UInt8]? {
    switch item {
    case .literal(let bytes): bytes
    case .requestHeader, .responseHeader, .record: style.missingText
    case .logKey: style.missingLogKey
    case .user: style.missingUser
    case .field(let field):
      switch field {
      case .remoteAddress, .method, .url: style.missingText
      case .status, .bytesReceived, .bodyBytesSent, .bytesSent: style.missingNumber
      case .firstByte: style.missingFirstByte
      case .queryString: style.missingQuery
      case .httpProtocol: Array("HTTP/1.0".utf8)
      }
    default: nil
    }
  }

  /// The tags whose records must survive until a transaction is finished.
  public var neededTags: TagSet { captures.plan.neededTags }

  /// Whether a value of the line that was rendered last is from a record that the log's writer has probably cut: it is
  /// as long as the writer lets them be by default, and the log has shown no longer one.
  public var lastLineHasCutValue: Bool { captures.hasCutValue }

  /// Writes the line of a transaction, with its newline.
  ///
  /// - Parameter captured: what was picked out of the transaction already, for this renderer's
  ///   `neededTags`; nil lets it walk over all records.
  @specialized(where Layout == NarrowRecords)
  @specialized(where Layout == WideRecords)
  public mutating func render<Layout: RecordLayout>(
    _ transaction: Transaction<Layout>, _ captured: CapturedRecords<Layout>? = nil,
    to line: inout LineWriter
  ) -> Outcome {
    guard captures.collect(transaction, captured) else { return .noLine }
    if needsStart {
      guard let start = captures[CapturePlan.Slot.start].flatMap(LogNumber.seconds) else {
        return .noLine
      }
      startSeconds = start
      endSeconds =
        captures.plan.takesEnd
        ? captures[CapturePlan.Slot.end].flatMap(LogNumber.seconds) ?? start : start
    }
    for step in steps {
      switch step {
      case .literal(let text): unsafe line.put(text)
      case .value(let slot, let missing): unsafe put(captures[slot], or: missing, to: &line)
      case .number(let slot, let missing):
        if let value = captures[slot], LogNumber.isJSON(value) {
          line.put(value)
        } else {
          unsafe line.put(missing)
        }
      case .column(let slot, let missing, let placement):
        if let value = captures[slot], value.count > 0 {
          escaper(for: placement).put(value, to: &line)
        } else {
          unsafe line.put(missing)
        }
      case .time(let clock): clocks[clock].put(Int64(startSeconds.rounded(.down)), to: &line)
      case .requestLine: putRequestLine(to: &line)
      case .user(let missing): unsafe put(user, or: missing, to: &line)
      case .item(let index): put(itemAt: index, of: transaction, to: &line)
      }
    }
    line.put(UInt8(ascii: "\n"))
    return .line
  }

  private mutating func put(_ value: LogBytes?, or missing: PooledText, to line: inout LineWriter) {
    if let value {
      escaper.put(value, to: &line)
    } else {
      unsafe line.put(missing)
    }
  }

  private mutating func put<Layout: RecordLayout>(
    itemAt index: Int, of transaction: Transaction<Layout>, to line: inout LineWriter
  ) {
    switch items[index] {
    case .literal: break
    case .time: putNumber(itemAt: index, to: &line)
    case .side where placements[index] == .number: putMissingNumber(items[index], to: &line)
    case .timeNumber(.timestamp) where placements[index] == .number: putMissingNumber(items[index], to: &line)
    case .timeNumber(.timestamp):
      let total = Self.microseconds(startSeconds)
      let second = (Double(total) / 1e6).rounded(.down)
      clocks[timestampClock].put(Int64(second), to: &line)
      line.put(".")
      line.put(decimal: (total - Int64(second) * 1_000_000).magnitude, minimumDigits: 6)
      line.put("Z")
    case .side: line.put(transaction.type == .backendRequest ? "b" : "c")
    case .vxid: line.put(decimal: transaction.vxid, minimumDigits: 1)
    default:
      switch placements[index] {
      case .text, .word, .column, .name, .httpProtocol: put(valueOfItemAt: index, to: &line)
      case .string: putString(itemAt: index, to: &line)
      case .number: putNumber(itemAt: index, to: &line)
      }
    }
  }

  private func escaper(for placement: ValuePlacement) -> Escaper {
    switch placement {
    case .text, .string, .number, .httpProtocol: escaper
    case .name: nameEscaper
    case .word: wordEscaper
    case .column: columnEscaper
    }
  }

  /// Writes what a piece stands for, or what stands for it if it is missing.
  ///
  /// - Returns: whether there was a value.
  @discardableResult
  private mutating func put(valueOfItemAt index: Int, to line: inout LineWriter) -> Bool {
    let item = items[index]
    let value = captures.plan.slotOfItem[index].flatMap { captures[$0] }
    let escaper = escaper(for: placements[index])
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
    case .requestLine: putRequestLine(to: &line)
    case .user: return put(user, or: style.missingUser, to: &line)
    case .time:
      if let clock = clockOfItem[index] { clocks[clock].put(Int64(startSeconds.rounded(.down)), to: &line) }
    case .timeNumber(let number): self.put(number, to: &line)
    case .duration(let unit): self.put(unit, to: &line)
    case .hitMiss: return self.put(captures.hitMiss, to: &line)
    case .handling: return self.put(captures.handling, to: &line)
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

  /// The part of a value that a piece is about; nil if the value has no such part.
  private func part(_ value: LogBytes, for item: FormatItem) -> LogBytes? {
    switch item {
    case .query: value.count > 1 ? value.dropFirst(1) : nil
    case .protocolVersion:
      value.firstIndex(of: UInt8(ascii: "/")).map { value.dropFirst($0 + 1) }
    // Columns have room for a colon with a port behind the name, not for those of an address.
    case .host: HostAndPort(value, allowsAddress: style.escaping != .columns(.quoted)).host
    case .port: HostAndPort(value, allowsAddress: style.escaping != .columns(.quoted)).port
    default: value
    }
  }

  private func put(_ handling: Captures.Handling, to line: inout LineWriter) -> Bool {
    guard handling != .none else {
      unsafe style.missingHandling.withUnsafeBytes { unsafe line.put($0) }
      return false
    }
    line.put(handling.text)
    return true
  }

  /// Writes a whole JSON string, or what stands for it without quotation marks.
  private mutating func putString(itemAt index: Int, to line: inout LineWriter) {
    let before = line
    line.put(UInt8(ascii: "\""))
    if put(valueOfItemAt: index, to: &line) {
      line.put(UInt8(ascii: "\""))
    } else {
      line = before
      unsafe style.missingString.withUnsafeBytes { unsafe line.put($0) }
    }
  }

  /// Writes a value where only a number may stand, or what stands for it.
  private mutating func putNumber(itemAt index: Int, to line: inout LineWriter) {
    let before = line
    let isThere = put(valueOfItemAt: index, to: &line)
    guard !line.overflowed else { return }
    if isThere, let written = line.written(since: before.count), LogNumber.isJSON(written) { return }
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
      escaper.put(value, to: &line)
    } else {
      line.put("HTTP/1.0")
    }
  }

  /// Method, absolute URL and protocol (`ncsa-format.md` 5.3).
  ///
  /// Nothing is changed; but a method that only borrows `self` is given a copy of it.
  private mutating func putRequestLine(to line: inout LineWriter) {
    typealias Field = FormatItem.Field
    if let method = captures[Field.method.rawValue] {
      escaper.put(method, to: &line)
    } else {
      line.put("-")
    }
    line.put(" ")
    if let host = captures[CapturePlan.Slot.host] {
      if !host.prefix(7).equals("http://") { line.put("http://") }
      escaper.put(host, to: &line)
    } else {
      line.put("http://localhost")
    }
    if let url = captures[Field.url.rawValue] {
      escaper.put(url, to: &line)
    } else if !rules.since(4, 0) {
      line.put("-")
    }
    if let query = captures[Field.queryString.rawValue] { escaper.put(query, to: &line) }
    line.put(" ")
    putProtocol(captures[Field.httpProtocol.rawValue], to: &line)
  }

  /// The user's name; valid until it is asked for again.
  @inline(__always)
  private var user: LogBytes? {
    guard let token = captures[CapturePlan.Slot.authorization] else { return nil }
    return unsafe BasicUser.decode(token, strictly: rules.decodesStrictly, into: scratch)
  }

  // MARK: Times. All in IEEE doubles and truncated, as it has always been done.

  private func put(_ number: FormatItem.TimeNumber, to line: inout LineWriter) {
    let fraction = startSeconds - startSeconds.rounded(.towardZero)
    switch number {
    case .seconds: line.put(Int64(startSeconds))
    case .milliseconds: line.put(Int64(startSeconds * 1e3))
    case .microseconds: line.put(Int64(startSeconds * 1e6))
    case .millisecondsFraction: putFraction(fraction * 1e3, digits: 3, to: &line)
    case .microsecondsFraction: putFraction(fraction * 1e6, digits: 6, to: &line)
    case .nanoseconds:
      let number = Self.microseconds(startSeconds)
      line.put(number)
      if number != 0 { line.put("000") }
    case .timestamp: break
    }
  }

  private func putFraction(_ value: Double, digits: Int, to line: inout LineWriter) {
    let number = Int64(value)
    if number < 0 { line.put("-") }
    line.put(decimal: number.magnitude, minimumDigits: digits)
  }

  /// The nearest microsecond: the log has six digits, and a double may lie just below them.
  private static func microseconds(_ seconds: Double) -> Int64 { Int64((seconds * 1e6).rounded()) }

  private func put(_ unit: FormatItem.DurationUnit, to line: inout LineWriter) {
    let seconds = endSeconds - startSeconds
    switch unit {
    case .seconds: line.put(Int64(seconds))
    case .milliseconds: line.put(Int64(seconds * 1e3))
    case .microseconds: line.put(Int64(seconds * 1e6))
    case .nanoseconds:
      let number = Self.microseconds(seconds)
      line.put(number)
      if number != 0 { line.put("000") }
    case .decimalSeconds:
      let number = Self.microseconds(seconds)
      if number < 0 { line.put("-") }
      line.put(decimal: number.magnitude / 1_000_000, minimumDigits: 1)
      line.put(".")
      line.put(decimal: number.magnitude % 1_000_000, minimumDigits: 6)
    }
  }
}
