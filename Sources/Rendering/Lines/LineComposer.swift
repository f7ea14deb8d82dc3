package import Transactions
package import VarnishLog

/// Makes lines of captured values: a compiled format, with the memory it needs to run.
///
/// The captures are made for its own plan, or for one that it shares with other formats.
@safe package struct LineComposer: ~Copyable {
  // Invariant: `scratch` has room for the longest payload, `escapers` has one for each placement, `clocks`
  // has one for each time of the format, and every index of a step is valid for these, for the slots of the
  // captures' plan or for `items`. All of these are freed only in `deinit`; `program` also when it is
  // replaced.

  let items: [FormatItem]
  let placements: [ValuePlacement]
  let rules: NCSARules
  let style: LineStyle
  let escapers: Escapers
  /// The plan of this format alone.
  let plan: CapturePlan
  /// The format's bit in the plan of the captures, and for each piece its slot there.
  private var format: FormatSet
  private(set) var slotOfItem: [Int?]
  /// How many slots captures must have, so that all of these exist.
  private var slotCount: Int
  private var program: RenderProgram
  let clocks: UnsafeMutableBufferPointer<ClockText>
  /// The clocks of times, by their place in the format.
  let clockOfItem: [Int: Int]
  /// The clock of RFC 3339 times, which they all share.
  let timestampClock: Int
  private let start: StartReading
  private let takesEnd: Bool
  private var knownSecond = KnownSecond()
  /// Where user names are decoded.
  private let scratch: UnsafeMutableRawBufferPointer
  private(set) var startSeconds = 0.0
  private(set) var endSeconds = 0.0
  /// The second that the start is in.
  private(set) var startSecond: Int64 = 0

  /// What a format needs to know of the start time.
  private enum StartReading {
    case nothing
    /// The second in which it is.
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

  /// Has the format take its values from captures that other formats use, too: those of the first plan that
  /// can take it.
  ///
  /// - Parameter plans: another plan is added if none can.
  /// - Returns: the index of the plan for which its captures are made from now on.
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

  /// Whether a value of the last line is from a record that the log's writer has probably cut: it has the
  /// default maximum length, and the log has shown no longer one.
  ///
  /// Stored, as calling another module for it would copy the whole of `self`.
  package private(set) var lastLineHasCutValue = false

  /// Whether the log has shown a longer value to this format: then the length at which records are cut isn't
  /// known.
  package private(set) var hasSeenLongerValue = false

  /// Notes that another format has seen a longer value.
  package mutating func noteLongerValue() { hasSeenLongerValue = true }

  /// Whether each line is examined as if it were the first; for callers that don't see all of a log.
  package var forgetsLengths = false

  /// Notes the lengths of a transaction's values that this format uses.
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

  /// Writes the value of a step.
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
  /// - Returns: false if that is needed and not known.
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

  /// Writes the value of a step of the rarer kinds.
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

  @inline(__always)
  mutating func put(host: LogBytes, to line: inout LineWriter) {
    if !host.prefix(7).equals("http://") { line.put("http://") }
    escapers[.text].put(host, to: &line)
  }

  /// The user's name; valid until the next call.
  @inline(__always)
  func user(_ values: CapturedValues) -> LogBytes? {
    guard let token = values[CapturePlan.Slot.authorization] else { return nil }
    return unsafe BasicUser.decode(token, strictly: rules.decodesStrictly, into: scratch)
  }
}
