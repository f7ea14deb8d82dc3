package import VarnishLog

/// Changes numbers of transactions and times in payloads, and nothing else in them.
@safe package struct PayloadEditor: ~Copyable {
  // Invariant: both tables have an entry for every number that a byte can hold, and `buffer` has room for the
  // longest payload with each field grown as far as it can.

  /// The mapping for transactions' numbers; nil leaves them unchanged.
  package var vxids: VXIDMapping? { didSet { prepare() } }
  /// By how many nanoseconds times are moved; nil leaves them unchanged.
  ///
  /// It may not become nil, or cease to be nil, after the first record.
  package var timeShift: Int64?
  /// Whether numbers in the captured log may have the marks of client and backend in their top bits, as in 4.0.
  private let mayHaveMarks: Bool

  /// The plan for each number that a tag can have, and, in the second table, whether such records are changed.
  private let plans: UnsafeMutablePointer<EditPlan?>
  private let isConcerned: UnsafeMutablePointer<Bool>
  private let buffer: UnsafeMutableRawPointer

  /// Enough for the longest payload, as a field grows by less than 32 bytes.
  private static var capacity: Int { RecordHeader.payloadByteCountMax + 32 * (EditPlan.fieldsMax + 1) }

  /// Prepares for records with a numbering.
  package init(
    _ numbering: TagNumbering, vxids: VXIDMapping?, timeShift: Int64?, mayHaveMarks: Bool = false
  ) {
    unsafe plans = .allocate(capacity: 256)
    unsafe plans.initialize(repeating: nil, count: 256)
    unsafe isConcerned = .allocate(capacity: 256)
    unsafe isConcerned.initialize(repeating: false, count: 256)
    unsafe buffer = .allocate(byteCount: Self.capacity, alignment: 8)
    let table = TagTable(numbering)
    for number in RecordHeader.tagNumbers { unsafe plans[Int(number)] = table.tag(number).map(EditPlan.init) }
    self.vxids = vxids
    self.timeShift = timeShift
    self.mayHaveMarks = mayHaveMarks
    prepare()
  }

  deinit {
    unsafe plans.deallocate()
    unsafe isConcerned.deallocate()
    unsafe buffer.deallocate()
  }

  private func prepare() {
    for number in 0..<256 {
      unsafe isConcerned[number] =
        unsafe plans[number]?.concerns(vxids: vxids != nil, times: timeShift != nil) ?? false
    }
  }

  /// The time at which a record was written according to itself; nil if it has no such time.
  package func clock(tag: UInt8, _ payload: LogBytes) -> Int64? {
    // `tag` is a byte, and the table has 256 entries.
    guard let plan = unsafe plans[Int(tag)], plan.clockField > 0,
      let field = payload.droppingFinalNULs.field(plan.clockField)
    else { return nil }
    return RecordedTime(field)?.nanoseconds
  }

  /// The payload as it is to be written: itself, or a copy that lasts until the next call.
  @inline(__always)
  package mutating func edit(tag: UInt8, _ payload: LogBytes) -> LogBytes {
    unsafe isConcerned[Int(tag)] ? changed(tag, payload) : payload
  }

  private mutating func changed(_ tag: UInt8, _ payload: LogBytes) -> LogBytes {
    // The buffer has room for a payload of this size and for the growth of its fields.
    guard payload.count <= RecordHeader.payloadByteCountMax, let plan = unsafe plans[Int(tag)] else {
      return payload
    }
    let text = payload.droppingFinalNULs
    var at = 0
    if plan.isHeader {
      guard text.hasPrefix(lowercased: Self.headerName) else { return payload }
      at = Self.headerName.utf8CodeUnitCount
    }
    // The payload in front of `copied` is already in the buffer, which holds `used` bytes.
    var (copied, used) = (0, 0)
    for number in 1...EditPlan.fieldsMax {
      while at < text.count, ASCII.isSpace(text[at]) { at += 1 }
      let from = at
      while at < text.count, !ASCII.isSpace(text[at]) { at += 1 }
      guard at > from else { break }
      let bit = UInt32(1) << UInt32(number)
      let field = text.dropFirst(from).prefix(at - from)
      if plan.vxidFields & bit != 0, let vxids, let vxid = DecimalText.vxid(field) {
        append(payload, copied..<from, at: &used)
        unsafe used += DecimalText.write(renumbered(vxid, vxids), to: buffer + used)
        copied = at
      } else if plan.timeFields & bit != 0, let timeShift,
        let time = RecordedTime(field)?.moved(by: timeShift)
      {
        append(payload, copied..<from, at: &used)
        unsafe used += time.write(to: buffer + used)
        copied = at
      }
    }
    guard copied > 0 else { return payload }
    append(payload, copied..<payload.count, at: &used)
    return unsafe LogBytes(start: buffer, count: used)
  }

  private static var headerName: StaticString { "x-varnish:" }

  private func append(_ payload: LogBytes, _ range: Range<Int>, at used: inout Int) {
    unsafe (buffer + used).copyMemory(from: payload.start + range.lowerBound, byteCount: range.count)
    used += range.count
  }

  private func renumbered(_ vxid: UInt64, _ vxids: VXIDMapping) -> UInt64 {
    guard mayHaveMarks, vxid <= UInt64(UInt32.max) else { return vxids(vxid) }
    return vxids(vxid & 0x3FFF_FFFF) | vxid & 0xC000_0000
  }
}
