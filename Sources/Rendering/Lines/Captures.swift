import Transactions
import VarnishLog

/// The values that a walk over one transaction found (`ncsa-format.md` 4).
@safe struct Captures: ~Copyable {
  // Invariant: `slots` has as many elements as the plan has slots, and every slot that is asked for is from that
  // plan. Values are looked at only while the transaction lasts that they were found in.

  let plan: CapturePlan
  private let rules: NCSARules
  private let table: CaptureTable
  private let requestTable: HeaderTable
  private let responseTable: HeaderTable
  private let slots: UnsafeMutableBufferPointer<CapturedValue>
  private var isBackend = false
  /// Whether the handling may be `pipe`: of a fetch, where the tags of both sides count.
  private var takesPipes = false
  /// From 7.7 on, what VCL does to a message after it came in or before it goes out doesn't count.
  private var phaseEnded = false

  /// Whether a value of the transaction is from a record that the log's writer has probably cut.
  private(set) var hasCutValue = false
  /// How long a record's text is whose writer has cut it; no longer known once there is a longer one.
  private var cutByteCount = Self.cutByteCountUsual

  /// By default a writer cuts records behind 255 bytes, the NUL among them, and nothing marks it.
  private static let cutByteCountUsual = 254

  private(set) var hitMiss = Handling.none
  private(set) var handling = Handling.none

  enum Handling {
    case none, hit, miss, pass, synth, error, pipe, hitMiss, hitPass

    var text: StaticString {
      switch self {
      case .none: "-"
      case .hit: "hit"
      case .miss: "miss"
      case .pass: "pass"
      case .synth: "synth"
      case .error: "error"
      case .pipe: "pipe"
      case .hitMiss: "hitmiss"
      case .hitPass: "hitpass"
      }
    }
  }

  init(_ plan: CapturePlan, rules: NCSARules) {
    self.plan = plan
    self.rules = rules
    table = CaptureTable(plan)
    requestTable = HeaderTable(
      plan.ownHeaders + plan.requestHeaders.map { ($0, .value) },
      matchesLoosely: rules.matchesHeadersLoosely)
    responseTable = HeaderTable(
      plan.responseHeaders.map { ($0, .value) }, matchesLoosely: rules.matchesHeadersLoosely)
    unsafe slots = .allocate(capacity: plan.slotCount)
    unsafe slots.initialize(repeating: CapturedValue())
  }

  deinit {
    table.deallocate()
    requestTable.deallocate()
    responseTable.deallocate()
    unsafe slots.deallocate()
  }

  /// The value in a slot; nil if the transaction has none.
  // Inlined, because to call it the whole of `self` would be copied.
  @inline(__always)
  subscript(slot: Int) -> LogBytes? { unsafe slots[slot].bytes }

  /// Walks a transaction and keeps what the plan asks for.
  ///
  /// The values stay valid as long as the transaction does.
  ///
  /// - Parameter captured: what was picked out of the transaction already, if that is so.
  /// - Returns: whether the transaction is one that gives a line at all.
  @inline(__always)
  mutating func collect<Layout>(
    _ transaction: Transaction<Layout>, _ captured: CapturedRecords<Layout>?
  ) -> Bool {
    unsafe slots.update(repeating: CapturedValue())
    isBackend = transaction.type == .backendRequest
    takesPipes = !isBackend || rules.mixesSides
    phaseEnded = false
    hasCutValue = false
    hitMiss = .none
    handling = .none
    let uses = unsafe table.uses(isBackend: isBackend)
    if let captured {
      let records = unsafe captured.line
      for index in records.indices { guard unsafe take(records[index], uses) else { return false } }
    } else {
      var cursor = transaction.makeCursor()
      while let record = cursor.next() { guard unsafe take(record, uses) else { return false } }
    }
    return true
  }

  /// Keeps what the plan asks for of one record.
  ///
  /// - Returns: false if its transaction gives no line.
  @inline(__always)
  private mutating func take<Layout>(
    _ record: Record<Layout>, _ uses: UnsafePointer<CaptureTable.Use>
  ) -> Bool {
    let tag = record.tag
    let use = unsafe uses[Int(tag)]
    guard use != .none else { return true }
    if use == .plainRequestHeader {
      // Half of the records that are looked at are these, and most of them are of headers nobody asked for.
      let payload = record.payload
      if requestTable.mayMatch(payload) {
        takeRequestHeader(payload.droppingFinalNULs, isUnset: false)
      }
      return true
    }
    let entry = table[tag, isBackend]
    let payload = entry.isStripped ? record.payload.droppingFinalNULs : record.payload
    if entry.isWatched { watch(tag, payload) }
    switch entry.action {
    case .none: break
    case .return:
      if payload.equals(lowercased: "restart") { return false }
      if payload.equals(lowercased: "pipe"), takesPipes { (hitMiss, handling) = (.miss, .pipe) }
    case .garbage: return false
    case .requestHeader:
      if requestTable.mayMatch(payload) { takeRequestHeader(payload, isUnset: false) }
    case .responseHeader:
      if responseTable.mayMatch(payload) { takeResponseHeader(payload, isUnset: false) }
    case .timestamp:
      if unsafe plan.takesOtherTimes || !slots[CapturePlan.Slot.start].isSet { takeTimestamp(payload) }
    default: take(entry.action, payload)
    }
    return true
  }

  private mutating func take(_ action: CapturePlan.Action, _ payload: LogBytes) {
    typealias Slot = CapturePlan.Slot
    switch action {
    case .clientAddress: set(.remoteAddress, payload.field(1), .first)
    case .backendAddress:
      set(.remoteAddress, payload.field(3), rules.followsPhases ? .first : .last)
    case .backendStartAddress: set(.remoteAddress, payload.field(1), .last)
    case .method: setRequest(.method, payload.trimmed)
    case .url: takeURL(payload)
    case .httpProtocol: setRequest(.httpProtocol, payload.trimmed)
    case .requestUnset: takeRequestHeader(payload, isUnset: true)
    case .status: takeStatus(payload)
    case .responseUnset: takeResponseHeader(payload, isUnset: true)
    case .requestAccount:
      if plan.takes(.bytesReceived) { set(.bytesReceived, payload.field(3), .first) }
      if plan.takes(.bodyBytesSent) { set(.bodyBytesSent, payload.field(5), .first) }
      if plan.takes(.bytesSent) { set(.bytesSent, payload.field(6), .first) }
    case .pipeAccount:
      if plan.takes(.bytesReceived) { set(.bytesReceived, payload.field(3), .first) }
      if plan.takes(.bytesSent) { set(.bytesSent, payload.field(4), .first) }
    case .call: takeCall(payload)
    case .hitMiss:
      hitMiss = .miss
      handling = .hitMiss
    case .hitPass:
      hitMiss = .miss
      handling = .hitPass
    case .logKey: takeLogKey(payload)
    case .none, .return, .garbage, .requestHeader, .responseHeader, .timestamp: break
    }
  }

  // MARK: Which record counts

  /// Takes note of how long a record is of which a value is kept.
  private mutating func noteLength(of payload: LogBytes) {
    guard payload.count >= cutByteCount else { return }
    if payload.count == cutByteCount {
      hasCutValue = true
    } else {
      cutByteCount = .max
    }
  }

  private mutating func set(
    _ slot: Int, _ value: LogBytes?, _ rule: FormatItem.MatchRule, isUnset: Bool = false
  ) {
    guard let value, unsafe rule == .last || !slots[slot].isSet else { return }
    unsafe slots[slot] = unsafe CapturedValue(
      start: isUnset ? nil : value.start, count: isUnset ? 0 : value.count, isSet: true)
  }

  private mutating func set(
    _ field: FormatItem.Field, _ value: LogBytes?, _ rule: FormatItem.MatchRule
  ) {
    set(field.rawValue, value, rule)
  }

  /// The rule for what belongs to the request; nil if it doesn't count any more.
  private func requestRule(_ usual: FormatItem.MatchRule) -> FormatItem.MatchRule? {
    guard rules.followsPhases else { return usual }
    if phaseEnded { return nil }
    return isBackend ? .last : .first
  }

  /// The rule for what belongs to the response; nil if it doesn't count any more.
  private var responseRule: FormatItem.MatchRule? {
    guard rules.followsPhases, isBackend else { return .last }
    return phaseEnded ? nil : .first
  }

  private mutating func setRequest(_ field: FormatItem.Field, _ value: LogBytes) {
    guard let rule = requestRule(.first) else { return }
    set(field, value, rule)
  }

  private mutating func takeURL(_ payload: LogBytes) {
    noteLength(of: payload)
    let mark = payload.firstIndex(of: UInt8(ascii: "?")) ?? payload.count
    setRequest(.url, payload.prefix(mark).trimmed)
    setRequest(.queryString, payload.dropFirst(mark).trimmed)
  }

  private mutating func takeStatus(_ payload: LogBytes) {
    guard let rule = responseRule else { return }
    set(.status, payload.trimmed, rule)
  }

  // MARK: Headers

  private mutating func takeRequestHeader(_ payload: LogBytes, isUnset: Bool) {
    take(payload, requestTable, usual: requestRule(.last), isUnset: isUnset)
  }

  private mutating func takeResponseHeader(_ payload: LogBytes, isUnset: Bool) {
    take(payload, responseTable, usual: responseRule, isUnset: isUnset)
  }

  private mutating func take(
    _ payload: LogBytes, _ table: HeaderTable, usual: FormatItem.MatchRule?, isUnset: Bool
  ) {
    // The rule of one specifier stays in force, for this record, for those behind it that have none. That
    // is a quirk of the releases that have rules at all.
    var stated: FormatItem.MatchRule?
    for index in table.candidates(for: payload) where table.mayMatch(payload, at: index) {
      guard let value = table.match(payload, at: index) else { continue }
      noteLength(of: payload)
      let entry = unsafe table.entries[index]
      switch entry.kind {
      case .host, .authorization: takeOwn(entry, value, of: payload, isUnset: isUnset)
      case .value:
        stated = entry.rule ?? stated
        if let stated {
          set(entry.slot, value, stated)
        } else if let usual {
          set(entry.slot, value, usual, isUnset: isUnset)
        }
      }
    }
  }

  /// Host and user of the request line.
  ///
  /// That one of these was removed counts for nothing: what came before or after it does.
  private mutating func takeOwn(
    _ entry: HeaderTable.Entry, _ value: LogBytes, of payload: LogBytes, isUnset: Bool
  ) {
    guard !isUnset, let rule = requestRule(.first) else { return }
    if entry.kind == .host {
      set(entry.slot, value, rule)
    } else if unsafe payload.dropFirst(entry.name.count).droppingLeadingBlanks.start == value.start,
      let token = BasicUser.token(in: value)
    {
      // Other white space than blanks in front of the scheme makes it another one.
      set(entry.slot, token, rule)
    }
  }

  // MARK: Times and handling

  private mutating func takeTimestamp(_ payload: LogBytes) {
    typealias Slot = CapturePlan.Slot
    guard let colon = payload.firstIndex(of: UInt8(ascii: ":")) else { return }
    let label = payload.prefix(colon + 1)
    let values = payload.dropFirst(colon + 1)
    if label.equals(lowercased: "start:") {
      set(Slot.start, values.field(1), .first)
    } else if !plan.takesOtherTimes {
      return
    } else if label.equals(lowercased: "resp:") || label.equals(lowercased: "pipesess:")
      || label.equals(lowercased: "berespbody:")
    {
      set(Slot.end, values.field(1), .first)
    } else if label.equals(lowercased: "process:") || label.equals(lowercased: "pipe:")
      || label.equals(lowercased: "beresp:")
    {
      set(.firstByte, values.field(2), .first)
    }
  }

  private mutating func takeCall(_ method: LogBytes) {
    if method.equals(lowercased: "recv") {
      (hitMiss, handling) = (.none, .none)
      phaseEnded = true
    } else if method.equals(lowercased: "backend_response") {
      phaseEnded = true
    } else if method.equals(lowercased: "hit") {
      (hitMiss, handling) = (.hit, .hit)
    } else if method.equals(lowercased: "miss") {
      (hitMiss, handling) = (.miss, handling == .hitMiss ? .hitMiss : .miss)
    } else if method.equals(lowercased: "pass") {
      (hitMiss, handling) = (.miss, handling == .hitPass ? .hitPass : .pass)
    } else if rules.hasSynth, method.equals(lowercased: "synth") {
      (hitMiss, handling) = (.miss, .synth)
    } else if !rules.hasSynth, method.equals(lowercased: "error") {
      (hitMiss, handling) = (.miss, .error)
    }
  }

  // MARK: Records by name

  private mutating func takeLogKey(_ payload: LogBytes) {
    for watch in plan.keys where unsafe !slots[watch.slot].isSet {
      let key = payload.prefix(watch.key.count)
      guard key.count == watch.key.count, unsafe key.buffer.elementsEqual(watch.key) else { continue }
      noteLength(of: payload)
      set(watch.slot, payload.dropFirst(watch.key.count).trimmed, .first)
    }
  }

  private mutating func watch(_ tag: UInt8, _ payload: LogBytes) {
    for watch in plan.records where unsafe watch.tag == tag && !slots[watch.slot].isSet {
      var value = payload
      if let prefix = watch.prefix {
        let matches = unsafe prefix.withUnsafeBytes { unsafe value.hasPrefix(lowercased: $0) }
        guard matches else { continue }
        value = value.dropFirst(prefix.count).droppingLeadingBlanks
      }
      noteLength(of: payload)
      if let field = watch.field {
        set(watch.slot, value.field(field), .first)
      } else {
        set(watch.slot, value.trimmed, .first)
      }
    }
  }
}
