import VarnishLog

/// Shows the records of a log of 2.0 to 3.0 as varnishlog of that time does (`grouping.md` 11): as text, one by one or
/// by connection, or as the records they are.
struct OldLogText: ~Copyable {
  /// How records are shown.
  enum Form {
    case single
    /// The records of a request, a fetch or a connection's end together.
    case grouped
    /// Unchanged, for a binary file.
    case binary(TagNumbering)
  }

  private var form: Form
  private var filter: OldFilter
  private let names: [[UInt8]]
  private let debug: UInt8?
  private let roles: [Role]
  private let is2x: Bool
  /// Whether one side was selected, so that records of no side are left out.
  private let hasSide: Bool
  var groups: [UInt64: Group] = [:]
  private let isForTerminal: Bool

  /// The entry to be written next.
  private(set) var entry: [UInt8] = []

  /// What a record means for grouping.
  private enum Role {
    case none
    /// It begins a new group, unless the records before it belong to the same group.
    case begins, beginsUnlessAfterSession, beginsUnlessAfterOpening
    case ends
    case call, `return`
  }

  struct Group {
    var text: [UInt8] = []
    var matches: UInt64 = 0
    /// Whether the last line is of a call, so that VCL's return may be appended to it.
    var isInCall = false
    var lastTag: UInt8 = 0
  }

  /// The largest size of a group; text beyond it is left out.
  private static var groupByteCountMax: Int { 16 << 20 }

  init(
    _ selection: OldSelection, _ form: Form, tags: TagTable, isForTerminal: Bool
  ) throws(OldSelectionError) {
    self.form = form
    self.isForTerminal = isForTerminal
    func set(_ members: [Tag]) -> TagSet {
      var set = TagSet()
      for number in members.compactMap(tags.number) { set.insert(number) }
      return set
    }
    var always = TagSet()
    if case .grouped = form {
      // The records that hold groups together are kept whatever the selection is.
      if !selection.backend { always.formUnion(set([.sessionOpen, .sessionClose, .reqEnd])) }
      if !selection.client { always.formUnion(set([.backendOpen, .backendClose, .backendReuse])) }
    }
    filter = try OldFilter(selection, tags: tags, always: always)
    hasSide = selection.backend || selection.client
    is2x = tags.numbering != .v30
    names = RecordHeader.tagNumbers.map { number in
      var name = Array((tags.tag(number)?.name ?? "(null)").utf8)
      while name.count < 12 { name.append(UInt8(ascii: " ")) }
      return name
    }
    debug = tags.number(of: .debug)
    var roles = [Role](repeating: .none, count: 256)
    func set(_ tag: Tag, _ role: Role) { if let number = tags.number(of: tag) { roles[Int(number)] = role } }
    for tag in [Tag.sessionOpen, .backendOpen] { set(tag, .begins) }
    set(.reqStart, .beginsUnlessAfterSession)
    set(.backendXID, .beginsUnlessAfterOpening)
    for tag in [Tag.reqEnd, .backendClose, .backendReuse, .statSess] { set(tag, .ends) }
    set(.vclCall, .call)
    set(.vclReturn, .return)
    set(.vclTrace, .return)
    self.roles = roles
    sessionOpen = tags.number(of: .sessionOpen)
    sessionClose = tags.number(of: .sessionClose)
    backendOpen = tags.number(of: .backendOpen)
  }

  private let sessionOpen: UInt8?, sessionClose: UInt8?, backendOpen: UInt8?

  // MARK: Taking records

  /// Takes a record in.
  ///
  /// - Returns: the outcome; an entry is in `entry`.
  mutating func take(_ record: Record<WideRecords>) -> OldOutcome {
    entry.removeAll(keepingCapacity: true)
    let (tag, side) = (record.tag, record.side)
    let payload = record.payload.droppingFinalNUL
    switch filter.verdict(tag: tag, side: side, payload: payload) {
    case .passes: break
    case .isHidden: return .hidden
    case .ends:
      guard case .grouped = form else { return .ended }
      // Open groups are shown; then, as in those releases, the remaining records are shown one by one.
      form = .single
      flush()
      return entry.isEmpty ? .hidden : .entry
    }
    switch form {
    case .single:
      if filter.hasMatches, filter.matches(tag: tag, payload: payload) == 0 { return .hidden }
      putLine(record, payload)
      return .entry
    case .binary(let numbering):
      appendBinary(record, payload, numbering)
      return .entry
    case .grouped: return takeGrouped(record, payload)
    }
  }

  private mutating func putLine(_ record: Record<WideRecords>, _ payload: LogBytes) {
    // Moved out, so that it is changed in place.
    var text = entry
    entry = []
    append(record, payload, isQuoted: true, to: &text)
    text.append(UInt8(ascii: "\n"))
    entry = text
  }

  private mutating func takeGrouped(_ record: Record<WideRecords>, _ payload: LogBytes) -> OldOutcome {
    if record.side == .none {
      guard !hasSide, is2x || !filter.hasMatches else { return .hidden }
      putLine(record, payload)
      return .entry
    }
    let key = record.vxid
    var outcome = OldOutcome.absorbed
    if begins(record.tag, after: groups[key]) {
      var group = groups[key] ?? Group()
      if group.isInCall { group.text.append(UInt8(ascii: "\n")) }
      group.isInCall = false
      if group.lastTag != sessionClose {
        append(record, name: Array("Interrupted ".utf8), to: &group.text)
        group.text.append(contentsOf: names[Int(record.tag)].prefix { $0 != UInt8(ascii: " ") })
        group.text.append(UInt8(ascii: "\n"))
      }
      groups[key] = nil
      outcome = finish(group)
    }
    // Moved out, so that it is changed in place.
    var group = groups[key] ?? Group()
    groups[key] = nil
    if filter.hasMatches { group.matches |= filter.matches(tag: record.tag, payload: payload) }
    group.lastTag = record.tag
    add(record, payload, to: &group)
    if roles[Int(record.tag)] == .ends {
      outcome = finish(group)
    } else {
      groups[key] = group
    }
    return outcome
  }

  private func begins(_ tag: UInt8, after group: Group?) -> Bool {
    guard let group, !group.text.isEmpty else { return false }
    switch roles[Int(tag)] {
    case .begins: return true
    case .beginsUnlessAfterSession: return group.lastTag != sessionOpen
    case .beginsUnlessAfterOpening: return group.lastTag != backendOpen
    case .none, .ends, .call, .return: return false
    }
  }

  private func add(_ record: Record<WideRecords>, _ payload: LogBytes, to group: inout Group) {
    guard group.text.count < Self.groupByteCountMax else { return }
    let role = roles[Int(record.tag)]
    if role == .return, group.isInCall {
      group.text.append(UInt8(ascii: " "))
      appendText(payload, to: &group.text)
      return
    }
    if group.isInCall { group.text.append(UInt8(ascii: "\n")) }
    append(record, payload, isQuoted: false, to: &group.text)
    group.isInCall = role == .call
    if role != .call { group.text.append(UInt8(ascii: "\n")) }
  }

  private mutating func finish(_ group: Group) -> OldOutcome {
    guard isWanted(group) else { return .hidden }
    entry = group.text
    if group.isInCall { entry.append(UInt8(ascii: "\n")) }
    if is2x { entry.append(UInt8(ascii: "\n")) }
    return .entry
  }

  private func isWanted(_ group: Group) -> Bool { group.matches & filter.allMatches == filter.allMatches }

  /// Finishes all open groups, each with an empty line behind it.
  mutating func flush() {
    entry.removeAll(keepingCapacity: true)
    for key in groups.keys.sorted() {
      guard var group = groups[key], isWanted(group) else { continue }
      if group.isInCall { group.text.append(UInt8(ascii: "\n")) }
      guard !group.text.isEmpty else { continue }
      entry += group.text
      entry.append(UInt8(ascii: "\n"))
    }
    groups = [:]
  }

  // MARK: Text

  private func append(_ record: Record<WideRecords>, name: [UInt8], to text: inout [UInt8]) {
    // A descriptor is a signed number, and -1 is that of a closed connection.
    let number = String(Int32(truncatingIfNeeded: record.vxid))
    for _ in stride(from: number.utf8.count, to: 5, by: 1) { text.append(UInt8(ascii: " ")) }
    text += number.utf8
    text.append(UInt8(ascii: " "))
    text += name
    text.append(UInt8(ascii: " "))
    switch record.side {
    case .none: text.append(UInt8(ascii: "-"))
    case .client: text.append(UInt8(ascii: "c"))
    case .backend: text.append(UInt8(ascii: "b"))
    }
    text.append(UInt8(ascii: " "))
  }

  private func append(
    _ record: Record<WideRecords>, _ payload: LogBytes, isQuoted: Bool, to text: inout [UInt8]
  ) {
    append(record, name: names[Int(record.tag)], to: &text)
    if isQuoted, record.tag == debug {
      appendQuoted(payload, to: &text)
    } else {
      appendText(payload, to: &text)
    }
  }

  /// Appends a payload up to its first NUL.
  private func appendText(_ payload: LogBytes, to text: inout [UInt8]) {
    let shown = payload.prefix(payload.firstIndex(of: 0) ?? payload.count)
    guard isForTerminal else {
      unsafe text.append(contentsOf: shown.buffer)
      return
    }
    var bytes = [UInt8](repeating: 0, count: RecordText.expansion * shown.count)
    let count = unsafe bytes.withUnsafeMutableBytes { buffer in
      guard let start = buffer.baseAddress else { return 0 }
      return unsafe RecordText.put(shown, .visible, to: start)
    }
    text += bytes[..<count]
  }

  private func appendQuoted(_ payload: LogBytes, to text: inout [UInt8]) {
    let room = RecordText.expansion * payload.count + RecordText.enclosure + RecordText.overhang
    var bytes = [UInt8](repeating: 0, count: room)
    let count = unsafe bytes.withUnsafeMutableBytes { buffer in
      guard let start = buffer.baseAddress else { return 0 }
      return unsafe RecordText.put(payload, .quoted, to: start)
    }
    text += bytes[..<count]
  }

  private mutating func appendBinary(
    _ record: Record<WideRecords>, _ payload: LogBytes, _ numbering: TagNumbering
  ) {
    unsafe LegacyRecordBytes.append(
      tag: record.tag, descriptor: UInt32(truncatingIfNeeded: record.vxid), payload.buffer, numbering,
      to: &entry)
  }
}

/// The outcome for a record of an old log.
public enum OldOutcome: Sendable {
  /// There is an entry to be written.
  case entry
  /// The record is kept for later.
  case absorbed
  /// The record, or the group that it has completed, isn't shown.
  case hidden
  /// Nothing more is shown.
  case ended
}
