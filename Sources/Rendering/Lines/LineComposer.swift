package import Transactions
package import VarnishLog

/// Makes lines of captured values: a compiled format, with the memory it needs to run.
///
/// The captures are made for its own plan, or for one that it shares with other formats.
@safe package struct LineComposer: ~Copyable {
  // Invariant: `scratch` has room for the longest payload, `escapers` has one for each placement, `clocks` has as many as
  // the format has times, and every index of a step is one of those, or of the slots of the captures' plan or of `items`.
  // All of that is freed in `deinit` alone; `program` also when it is replaced.

  private let items: [FormatItem]
  private let placements: [ValuePlacement]
  private let rules: NCSARules
  private let style: LineStyle
  private let escapers: Escapers
  /// What this format needs, by itself.
  let plan: CapturePlan
  /// Which format it is in the plan of the captures, and for each piece its slot there.
  private var format: FormatSet
  private var slotOfItem: [Int?]
  /// How many slots captures must have, so that all of these are among them.
  private var slotCount: Int
  private var program: RenderProgram
  let clocks: UnsafeMutableBufferPointer<ClockText>
  /// The clocks of times, by their place in the format.
  private let clockOfItem: [Int: Int]
  /// The clock of RFC 3339 times; one serves them all.
  let timestampClock: Int
  private let start: StartReading
  private let takesEnd: Bool
  private var knownSecond = KnownSecond()
  /// Where user names are decoded.
  private let scratch: UnsafeMutableRawBufferPointer
  private(set) var startSeconds = 0.0
  private(set) var endSeconds = 0.0
  /// The second that the start is in.
  private var startSecond: Int64 = 0

  /// What a format needs to know of the start time.
  private enum StartReading {
    case nothing
    /// Which second it is in.
    case second
    case fraction
  }

  /// Compiles a format for a log, for captures of its own.
  package init(_ format: borrowing LineFormat, tags: TagTable) {
    items = format.items
    placements = format.placements
    rules = format.rules
    style = format.style
    escapers = Escapers(format.style.escaping)
    var plan = CapturePlan(rules: format.rules, isJSON: format.takesAllTags, tags: tags)
    (self.format, slotOfItem) = plan.add(format.items)
    slotCount = plan.slotCount
    self.plan = plan
    let times = format.items.filter(\.needsStart)
    start = times.isEmpty ? .nothing : times.allSatisfy(\.isWholeSecond) ? .second : .fraction
    takesEnd = format.items.contains(where: \.needsEnd)
    unsafe scratch = .allocate(byteCount: RecordHeader.payloadByteCountMax + 1, alignment: 1)
    var texts: [ClockText] = []
    var clockOfItem: [Int: Int] = [:]
    var timestampClock = 0
    for (index, item) in format.items.enumerated() {
      switch item {
      case .time(let text, let isUTC):
        clockOfItem[index] = texts.count
        texts.append(ClockText(format: text, isUTC: isUTC))
      case .timeNumber(.timestamp):
        timestampClock = texts.count
        texts.append(ClockText(format: Array("%Y-%m-%dT%H:%M:%S".utf8), isUTC: true))
      default: break
      }
    }
    self.clockOfItem = clockOfItem
    self.timestampClock = timestampClock
    unsafe clocks = .allocate(capacity: texts.count)
    _ = unsafe clocks.initialize(fromContentsOf: texts)
    program = RenderProgram(
      format.items, format.placements, format.rules, format.style, slotOfItem, clocks: clockOfItem,
      isPlain: escapers[.text].stopsWithPlain)
  }

  deinit {
    unsafe scratch.deallocate()
    _ = unsafe clocks.deinitialize()
    unsafe clocks.deallocate()
    escapers.deallocate()
    program.deallocate()
  }

  /// The records that lines depend on.
  package var wish: PickWish { plan.wish }

  /// Has the format take its values from captures that others take theirs from, too: of the first plan that it can share.
  ///
  /// - Parameter plans: another is added if it can share none.
  /// - Returns: for which of them its captures are to be made from now on.
  package mutating func join(_ plans: inout [CapturePlan]) -> Int {
    let index = plans.firstIndex { $0.canTake(formatOf: plan) } ?? plans.count
    if index == plans.count { plans.append(plan.empty) }
    let (format, slots) = plans[index].add(items)
    self.format = format
    slotCount = plans[index].slotCount
    guard slots != slotOfItem else { return index }
    slotOfItem = slots
    program.deallocate()
    program = RenderProgram(
      items, placements, rules, style, slots, clocks: clockOfItem, isPlain: escapers[.text].stopsWithPlain)
    return index
  }

  /// Whether a value of the line that was written last is from a record that the log's writer has probably cut: it is
  /// as long as the writer lets them be by default, and the log has shown no longer one.
  ///
  /// Stored, as to ask another module for it the whole of `self` would be copied.
  package private(set) var lastLineHasCutValue = false

  /// Whether the log has shown a longer value, as far as this format knows: how long a text is that was cut isn't known
  /// then.
  package private(set) var hasSeenLongerValue = false

  /// Takes note that it has, somewhere else.
  package mutating func noteLongerValue() { hasSeenLongerValue = true }

  /// Whether each line is looked at as if it was the first; for what doesn't see all of a log.
  package var forgetsLengths = false

  /// Takes note of how long values of a transaction are that this format has.
  @inline(never)
  private mutating func noteLengths(_ captures: inout Captures) {
    lastLineHasCutValue = captures.cutFormats.intersects(format) && !hasSeenLongerValue
    if captures.longerFormats.intersects(format) { hasSeenLongerValue = true }
  }

  /// Writes the line of a transaction, with its newline.
  ///
  /// - Parameter captures: those of the transaction, made for the plan that the format has joined; or none yet.
  @_specialize(exported:true,where Layout == NarrowRecords)
  @_specialize(exported:true,where Layout == WideRecords)
  package mutating func render<Layout: RecordLayout>(
    _ transaction: Transaction<Layout>, _ captures: inout Captures, to line: inout LineWriter
  ) -> LineRenderer.Outcome {
    // Captures of another plan would be read beyond their end.
    precondition(captures.slotCount >= slotCount, "captures of a plan that the format hasn't joined")
    let isLine = captures.collect(transaction)
    lastLineHasCutValue = false
    if forgetsLengths { hasSeenLongerValue = false }
    if captures.hasLongValues { noteLengths(&captures) }
    let values = captures.values
    guard isLine, readStart(values) else { return .noLine }
    var step = unsafe program.start
    while unsafe step < program.end {
      unsafe put(step, values, of: transaction, to: &line)
      unsafe line.put(step.pointee.text)
      unsafe step += 1
    }
    return .line
  }

  /// Writes what a step puts in front of its text.
  @inline(__always)
  private mutating func put<Layout: RecordLayout>(
    _ step: UnsafePointer<RenderStep>, _ values: CapturedValues, of transaction: Transaction<Layout>,
    to line: inout LineWriter
  ) {
    switch unsafe step.pointee.kind {
    case .plain:
      guard let value = unsafe values[Int(step.pointee.index)] else {
        return unsafe line.put(step.pointee.missing)
      }
      let count = line.putPlain(value)
      if count < value.count { escapers[.text].putSpecials(value.dropFirst(count), to: &line) }
    case .host:
      guard let host = values[CapturePlan.Slot.host] else { return unsafe line.put(step.pointee.missing) }
      put(host: host, to: &line)
    case .time: unsafe clocks[Int(step.pointee.index)].put(startSecond, to: &line)
    case .user:
      guard values[CapturePlan.Slot.authorization] != nil else {
        return unsafe line.put(step.pointee.missing)
      }
      unsafe put(user(values), or: step.pointee.missing, to: &line)
    case .nothing: break
    default: unsafe putOther(step, values, of: transaction, to: &line)
    }
  }

  /// Finds out when the transaction began.
  ///
  /// - Returns: false if that must be known and isn't.
  @inline(__always)
  private mutating func readStart(_ values: CapturedValues) -> Bool {
    switch start {
    case .nothing: return true
    case .second:
      guard let text = values[CapturePlan.Slot.start] else { return false }
      if let second = knownSecond.second(of: text) {
        startSecond = second
        return true
      }
      return setStart(knownSecond.read(text), values)
    case .fraction:
      return setStart(values[CapturePlan.Slot.start].flatMap(LogNumber.seconds), values)
    }
  }

  @inline(__always)
  private mutating func setStart(_ seconds: Double?, _ values: CapturedValues) -> Bool {
    guard let seconds else { return false }
    startSeconds = seconds
    startSecond = Int64(seconds.rounded(.down))
    if takesEnd {
      endSeconds = values[CapturePlan.Slot.end].flatMap(LogNumber.seconds) ?? seconds
    }
    return true
  }

  private mutating func put(_ value: LogBytes?, or missing: PooledText, to line: inout LineWriter) {
    if let value {
      escapers[.text].put(value, to: &line)
    } else {
      line.put(missing)
    }
  }

  /// Writes what a step that fewer lines have puts in front of its text.
  @inline(never)
  private mutating func putOther<Layout: RecordLayout>(
    _ pointer: UnsafePointer<RenderStep>, _ values: CapturedValues, of transaction: Transaction<Layout>,
    to line: inout LineWriter
  ) {
    let step = unsafe pointer.pointee
    switch step.kind {
    case .value: put(values[Int(step.index)], or: step.missing, to: &line)
    case .column:
      guard let value = values[Int(step.index)], value.count > 0 else { return line.put(step.missing) }
      escapers[step.placement].put(value, to: &line)
    case .string:
      guard let value = values[Int(step.index)] else { return line.put(step.missing) }
      line.put(UInt8(ascii: "\""))
      escapers[.text].put(value, to: &line)
      line.put(UInt8(ascii: "\""))
    case .number:
      guard let value = values[Int(step.index)], LogNumber.isJSON(value) else {
        return line.put(step.missing)
      }
      line.put(value)
    case .duration:
      if let unit = FormatItem.DurationUnit(rawValue: UInt8(truncatingIfNeeded: step.index)) {
        put(unit, to: &line)
      }
    case .timeNumber:
      if let number = FormatItem.TimeNumber(rawValue: UInt8(truncatingIfNeeded: step.index)) {
        put(number, to: &line)
      }
    case .timestamp: putTimestamp(to: &line)
    case .hitMiss: put(values.hitMiss, or: step.missing, to: &line)
    case .handling: put(values.handling, or: step.missing, to: &line)
    case .side: line.put(transaction.type == .backendRequest ? "b" : "c")
    case .vxid: line.put(decimal: transaction.vxid, minimumDigits: 1)
    case .item: put(itemAt: Int(step.index), values, to: &line)
    case .nothing, .plain, .time, .user, .host: break
    }
  }

  private func put(_ handling: Handling, or missing: PooledText, to line: inout LineWriter) {
    if handling == .none { line.put(missing) } else { line.put(handling.text) }
  }

  private mutating func put(
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

  /// Writes what a piece stands for, or what stands for it if it is missing.
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

  private func put(_ handling: Handling, to line: inout LineWriter) -> Bool {
    guard handling != .none else {
      unsafe style.missingHandling.withUnsafeBytes { unsafe line.put($0) }
      return false
    }
    line.put(handling.text)
    return true
  }

  /// Writes a whole JSON string, or what stands for it without quotation marks.
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

  /// Writes a value where only a number may stand, or what stands for it.
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

  /// Method, absolute URL and protocol (`ncsa-format.md` 5.3), where that isn't written step by step.
  ///
  /// Nothing is changed; but a method that only borrows `self` is given a copy of it.
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

  @inline(__always)
  private mutating func put(host: LogBytes, to line: inout LineWriter) {
    if !host.prefix(7).equals("http://") { line.put("http://") }
    escapers[.text].put(host, to: &line)
  }

  /// The user's name; valid until it is asked for again.
  @inline(__always)
  private func user(_ values: CapturedValues) -> LogBytes? {
    guard let token = values[CapturePlan.Slot.authorization] else { return nil }
    return unsafe BasicUser.decode(token, strictly: rules.decodesStrictly, into: scratch)
  }
}
