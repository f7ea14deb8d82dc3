import Transactions
import VarnishLog

/// The values that a walk over one transaction found (`ncsa-format.md` 4), for all formats that share them.
///
/// The walk is made when the first of these formats needs the transaction.
@safe package struct Captures: ~Copyable {
  // Invariant: `slots` has as many elements as the plan has slots, and at least one. The captures' own steps
  // are from that plan; a format's slots are compared with `slotCount` before its values are read. Values are
  // read only while the transaction lasts in which they were found: `forget` is called before another
  // transaction is passed.

  private let plan: CapturePlan
  private let rules: NCSARules
  private let table: CaptureTable
  private let requestTable: HeaderTable
  private let responseTable: HeaderTable
  private let slots: UnsafeMutableBufferPointer<CapturedValue>
  private var isBackend = false
  /// Whether the handling may be `pipe`: of a fetch, where the tags of both sides count.
  private var takesPipes = false
  /// From 7.7 on, VCL's changes to a message after it came in or before it goes out don't count.
  private var phaseEnded = false
  /// Whether the transaction was walked over, and whether it gives a line at all.
  @usableFromInline var isWalked = false
  private var givesLine = false

  /// The formats with a value from a record that the log's writer has probably cut: one of the default
  /// maximum length, without a longer one before it.
  private(set) var cutFormats = FormatSet()
  /// The formats with a value from a longer record.
  private(set) var longerFormats = FormatSet()

  /// By default a writer cuts records behind 255 bytes, including the NUL, and doesn't mark that.
  private static let cutByteCountUsual = 254

  private var hitMiss = Handling.none, handling = Handling.none

  package init(_ plan: CapturePlan) {
    self.plan = plan
    rules = plan.rules
    table = CaptureTable(plan)
    requestTable = HeaderTable(
      plan.ownHeaders + plan.requestHeaders.map { ($0, .value) },
      matchesLoosely: rules.matchesHeadersLoosely)
    responseTable = HeaderTable(
      plan.responseHeaders.map { ($0, .value) }, matchesLoosely: rules.matchesHeadersLoosely)
    unsafe slots = .allocate(capacity: plan.slotCount)
    unsafe slots.initialize(repeating: .none)
  }

  /// Whether any value is from a record of that length or longer.
  @inline(__always)
  var hasLongValues: Bool { !cutFormats.isEmpty || !longerFormats.isEmpty }

  /// The number of slots.
  @inline(__always)
  var slotCount: Int { unsafe slots.count }

  /// Whether more than one format takes values from these captures.
  package var areShared: Bool { plan.formats.count > 1 }

  deinit {
    table.deallocate()
    requestTable.deallocate()
    responseTable.deallocate()
    unsafe slots.deallocate()
  }

  /// The values found, valid as long as the transaction is.
  @inline(__always)
  var values: CapturedValues {
    unsafe CapturedValues(
      slots: UnsafePointer(slots.baseAddress.unsafelyUnwrapped), hitMiss: hitMiss, handling: handling)
  }

  /// Prepares for another transaction.
  @inlinable @inline(__always)
  package mutating func forget() { isWalked = false }

  /// Walks over a transaction and keeps the values of the plan, unless that was done.
  ///
  /// - Returns: whether the transaction is one that gives a line at all.
  @inline(__always)
  mutating func collect<Layout>(_ transaction: Transaction<Layout>) -> Bool {
    if isWalked { return givesLine }
    isWalked = true
    unsafe slots.update(repeating: .none)
    isBackend = transaction.type == .backendRequest
    takesPipes = !isBackend || rules.mixesSides
    phaseEnded = false
    cutFormats = FormatSet()
    longerFormats = FormatSet()
    hitMiss = .none
    handling = .none
    let steps = unsafe table.steps(isBackend: isBackend)
    givesLine = transaction.forEachPicked { unsafe take($0, steps) }
    return givesLine
  }

  /// Keeps the values of the plan from one record.
  ///
  /// Only the checks that rule out most records are inlined here; the rest is a call, so that the walk itself
  /// stays short.
  ///
  /// - Returns: false if its transaction gives no line.
  @inline(__always)
  private mutating func take<Layout>(_ record: Record<Layout>, _ steps: UnsafePointer<CaptureStep>) -> Bool {
    let step = unsafe steps + Int(record.tag)
    // The commonest kinds first, as comparisons: they take fewer instructions than a jump through a table.
    let kind = unsafe step.pointee.kind
    if kind == .none { return true }
    if kind == .requestHeader {
      let candidates = requestTable.candidates(for: record.payload)
      if !candidates.isEmpty { unsafe takeRequestHeader(record.payload, candidates, step, isUnset: false) }
      return true
    }
    if kind == .responseHeader {
      let candidates = responseTable.candidates(for: record.payload)
      if !candidates.isEmpty {
        unsafe takeResponseHeader(record.payload, candidates, step, isUnset: false)
      }
      return true
    }
    return unsafe take(record.payload, record.tag, step)
  }

  /// Keeps the values from a record that may count.
  ///
  /// The functions called here return the same type as this one, even if they always return true: being
  /// called last, they are jumped to, and need no stack frame. That saves a fiftieth of a usual line's
  /// instructions.
  @inline(never)
  private mutating func take(_ payload: LogBytes, _ tag: UInt8, _ step: UnsafePointer<CaptureStep>) -> Bool {
    let payload = unsafe step.pointee.isStripped ? payload.droppingFinalNULs : payload
    let kind = unsafe step.pointee.kind
    if kind == .watched { return unsafe takeWatched(payload, tag, step) }
    return unsafe take(payload, as: kind, step)
  }

  @inline(__always)
  private mutating func take(
    _ payload: LogBytes, as kind: CaptureStep.Kind, _ step: UnsafePointer<CaptureStep>
  ) -> Bool {
    switch kind {
    case .text:
      unsafe set(Int(step.pointee.slot), payload.trimmed, step)
      return true
    case .field: return unsafe takeField(payload, step)
    case .url: return unsafe takeURL(payload, step)
    case .requestAccount: return takeRequestAccount(payload)
    case .timestamp:
      guard unsafe plan.takesOtherTimes || !slots[CapturePlan.Slot.start].isSet else { return true }
      return takeTimestamp(payload)
    case .return: return takeReturn(payload)
    case .garbage: return false
    case .call: return takeCall(payload)
    case .none: return true
    default: return unsafe takeOther(kind, payload, step)
    }
  }

  @inline(never)
  private mutating func takeWatched(
    _ payload: LogBytes, _ tag: UInt8, _ step: UnsafePointer<CaptureStep>
  ) -> Bool {
    watch(tag, payload)
    return unsafe take(payload, as: step.pointee.kindBehindNames, step)
  }

  @inline(never)
  private mutating func takeOther(
    _ kind: CaptureStep.Kind, _ payload: LogBytes, _ step: UnsafePointer<CaptureStep>
  ) -> Bool {
    switch kind {
    case .requestHeader, .requestUnset:
      unsafe takeRequestHeader(
        payload, requestTable.candidates(for: payload), step, isUnset: kind == .requestUnset)
    case .responseHeader, .responseUnset:
      unsafe takeResponseHeader(
        payload, responseTable.candidates(for: payload), step, isUnset: kind == .responseUnset)
    case .pipeAccount:
      let fields = LogFields(payload)
      if plan.takes(.bytesReceived) { setFirst(.bytesReceived, fields[3]) }
      if plan.takes(.bytesSent) { setFirst(.bytesSent, fields[4]) }
    case .hitMiss:
      hitMiss = .miss
      handling = .hitMiss
    case .hitPass:
      hitMiss = .miss
      handling = .hitPass
    case .logKey: takeLogKey(payload)
    default: break
    }
    return true
  }

  // MARK: Which record counts

  /// Notes the length of a record from which formats take a value.
  @inline(__always)
  private mutating func noteLength(of payload: LogBytes, for formats: FormatSet) {
    if payload.count >= Self.cutByteCountUsual { noteLong(payload.count, formats) }
  }

  @inline(never)
  private mutating func noteLong(_ byteCount: Int, _ formats: FormatSet) {
    if byteCount > Self.cutByteCountUsual {
      longerFormats.formUnion(formats)
    } else {
      var formats = formats
      formats.subtract(longerFormats)
      cutFormats.formUnion(formats)
    }
  }

  @inline(__always)
  private mutating func set(
    _ slot: Int, _ value: LogBytes?, takesLast: Bool, isUnset: Bool = false
  ) {
    guard let value, unsafe takesLast || !slots[slot].isSet else { return }
    unsafe slots[slot] = CapturedValue(isUnset ? nil : value)
  }

  @inline(__always)
  private mutating func setFirst(_ slot: Int, _ value: LogBytes?) { set(slot, value, takesLast: false) }

  @inline(__always)
  private mutating func setFirst(_ field: FormatItem.Field, _ value: LogBytes?) {
    set(field.rawValue, value, takesLast: false)
  }

  /// Keeps a value by the rules of a step.
  @inline(__always)
  private mutating func set(_ slot: Int, _ value: LogBytes?, _ step: UnsafePointer<CaptureStep>) {
    if unsafe step.pointee.endsWithPhase && phaseEnded { return }
    unsafe set(slot, value, takesLast: step.pointee.takesLast)
  }

  @inline(never)
  private mutating func takeField(_ payload: LogBytes, _ step: UnsafePointer<CaptureStep>) -> Bool {
    unsafe set(Int(step.pointee.slot), payload.field(Int(step.pointee.field)), step)
    return true
  }

  @inline(never)
  private mutating func takeURL(_ payload: LogBytes, _ step: UnsafePointer<CaptureStep>) -> Bool {
    typealias Field = FormatItem.Field
    noteLength(of: payload, for: plan.urlFormats)
    let mark = payload.firstIndex(of: UInt8(ascii: "?")) ?? payload.count
    unsafe set(Field.url.rawValue, payload.prefix(mark).trimmed, step)
    unsafe set(Field.queryString.rawValue, payload.dropFirst(mark).trimmed, step)
    return true
  }

  @inline(never)
  private mutating func takeRequestAccount(_ payload: LogBytes) -> Bool {
    let fields = LogFields(payload)
    if plan.takes(.bytesReceived) { setFirst(.bytesReceived, fields[3]) }
    if plan.takes(.bodyBytesSent) { setFirst(.bodyBytesSent, fields[5]) }
    if plan.takes(.bytesSent) { setFirst(.bytesSent, fields[6]) }
    return true
  }

  // MARK: Headers

  @inline(never)
  private mutating func takeRequestHeader(
    _ payload: LogBytes, _ candidates: Range<Int>, _ step: UnsafePointer<CaptureStep>, isUnset: Bool
  ) {
    let text = unsafe step.pointee.isStripped ? payload.droppingFinalNULs : payload
    unsafe take(text, requestTable, candidates, step, isUnset: isUnset)
  }

  @inline(never)
  private mutating func takeResponseHeader(
    _ payload: LogBytes, _ candidates: Range<Int>, _ step: UnsafePointer<CaptureStep>, isUnset: Bool
  ) {
    let text = unsafe step.pointee.isStripped ? payload.droppingFinalNULs : payload
    unsafe take(text, responseTable, candidates, step, isUnset: isUnset)
  }

  @inline(__always)
  private mutating func take(
    _ payload: LogBytes, _ table: HeaderTable, _ candidates: Range<Int>, _ step: UnsafePointer<CaptureStep>,
    isUnset: Bool
  ) {
    for index in candidates {
      let entry = unsafe table.entry(index)
      guard let value = unsafe table.match(payload, entry) else { continue }
      if unsafe entry.pointee.kind != .value {
        // The removal of such a header counts for nothing: values before or after it count.
        if isUnset { continue }
        unsafe noteLength(of: payload, for: entry.pointee.formats)
        unsafe takeOwn(entry, value, of: payload)
        continue
      }
      unsafe noteLength(of: payload, for: entry.pointee.formats)
      if let rule = unsafe entry.pointee.rule {
        unsafe set(entry.pointee.slot, value, takesLast: rule == .last)
      } else if unsafe !(step.pointee.endsWithPhase && phaseEnded) {
        unsafe set(entry.pointee.slot, value, takesLast: step.pointee.takesLast, isUnset: isUnset)
      }
    }
  }

  /// Keeps the host and the user: as for the other parts of the request line, the first value counts, but
  /// from 7.7 on the last one of a fetch.
  private mutating func takeOwn(
    _ entry: UnsafePointer<HeaderTable.Entry>, _ value: LogBytes, of payload: LogBytes
  ) {
    if rules.followsPhases && phaseEnded { return }
    let takesLast = rules.followsPhases && isBackend
    if unsafe entry.pointee.kind == .host {
      unsafe set(entry.pointee.slot, value, takesLast: takesLast)
    } else if unsafe payload.dropFirst(entry.pointee.nameByteCount).droppingLeadingBlanks.start
      == value.start,
      let token = BasicUser.token(in: value)
    {
      // White space other than blanks in front of the scheme makes it a different scheme.
      unsafe set(entry.pointee.slot, token, takesLast: takesLast)
    }
  }

  // MARK: Times and handling

  @inline(never)
  private mutating func takeTimestamp(_ payload: LogBytes) -> Bool {
    typealias Slot = CapturePlan.Slot
    // All labels that are used are short.
    guard let colon = payload.firstIndexWithin16(of: UInt8(ascii: ":")) else { return true }
    let label = payload.prefix(colon + 1)
    let values = payload.dropFirst(colon + 1)
    if label.isWord("start:") {
      setFirst(Slot.start, values.firstField)
    } else if !plan.takesOtherTimes {
      return true
    } else if label.isWord("resp:") || label.isWord("pipesess:")
      || label.isWord("berespbody:")
    {
      setFirst(Slot.end, values.firstField)
    } else if label.isWord("process:") || label.isWord("pipe:")
      || label.isWord("beresp:")
    {
      setFirst(.firstByte, values.field(2))
    }
    return true
  }

  @inline(never)
  private mutating func takeReturn(_ action: LogBytes) -> Bool {
    if action.isWord("restart") { return false }
    if action.isWord("pipe"), takesPipes { (hitMiss, handling) = (.miss, .pipe) }
    return true
  }

  @inline(never)
  private mutating func takeCall(_ method: LogBytes) -> Bool {
    if method.isWord("recv") {
      (hitMiss, handling) = (.none, .none)
      phaseEnded = true
    } else if method.isWord("backend_response") {
      phaseEnded = true
    } else if method.isWord("hit") {
      (hitMiss, handling) = (.hit, .hit)
    } else if method.isWord("miss") {
      (hitMiss, handling) = (.miss, handling == .hitMiss ? .hitMiss : .miss)
    } else if method.isWord("pass") {
      (hitMiss, handling) = (.miss, handling == .hitPass ? .hitPass : .pass)
    } else if rules.hasSynth, method.isWord("synth") {
      (hitMiss, handling) = (.miss, .synth)
    } else if !rules.hasSynth, method.isWord("error") {
      (hitMiss, handling) = (.miss, .error)
    }
    return true
  }

  // MARK: Records by name

  @inline(never)
  private mutating func takeLogKey(_ payload: LogBytes) {
    for watch in plan.keys where unsafe !slots[watch.slot].isSet {
      let key = payload.prefix(watch.key.count)
      guard key.count == watch.key.count, unsafe key.buffer.elementsEqual(watch.key) else { continue }
      noteLength(of: payload, for: watch.formats)
      setFirst(watch.slot, payload.dropFirst(watch.key.count).trimmed)
    }
  }

  @inline(never)
  private mutating func watch(_ tag: UInt8, _ payload: LogBytes) {
    for watch in plan.records where unsafe watch.tag == tag && !slots[watch.slot].isSet {
      var value = payload
      if let prefix = watch.prefix {
        let matches = unsafe prefix.withUnsafeBytes { unsafe value.hasPrefix(lowercased: $0) }
        guard matches else { continue }
        value = value.dropFirst(prefix.count).droppingLeadingBlanks
      }
      noteLength(of: payload, for: watch.formats)
      if let field = watch.field {
        setFirst(watch.slot, value.field(field))
      } else {
        setFirst(watch.slot, value.trimmed)
      }
    }
  }
}
