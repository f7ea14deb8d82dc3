import VarnishLog

/// How `Begin` and `Link` tie transactions together (`grouping.md` 3.1, 3.2), and the notes that are left
/// where they don't fit.
extension Grouper {
  /// - Parameter begin: what the record says; nil if its payload can't be read.
  mutating func processBegin(
    _ record: Record<Layout>, _ begin: Bracket?, of index: Int32, rest: RecordRun<Layout>
  ) {
    if slots[index].hasBegin {
      diagnose("duplicate begin", record, in: index, rest: rest)
      return
    }
    slots[index].hasBegin = true
    slots[index].side = record.side
    guard let begin else {
      diagnose("parse error", record, in: index, rest: rest)
      return
    }
    if begin.type == .unknown { diagnose("unknown vxid type", record, in: index, rest: rest) }
    let expected = slots[index].type
    if expected != .unknown, expected != begin.type {
      diagnose("type mismatch", record, in: index, rest: rest)
    }
    slots[index].type = begin.type
    slots[index].reason = begin.reason
    slots[index].parentVXID = begin.vxid
    guard begin.vxid != 0 else { return }
    if begin.vxid == slots[index].vxid {
      diagnose("link to self", record, in: index, rest: rest)
      return
    }
    switch options.grouping {
    case .vxid: return
    case .request: if begin.type == .request, begin.reason == .received { return }
    case .session: break
    }
    if slots[index].parent >= 0 {
      if slots[slots[index].parent].vxid != begin.vxid {
        diagnose("link mismatch", record, in: index, rest: rest)
      }
      return
    }
    if wasRefused(begin.vxid) {
      diagnose("link too late", record, in: index, rest: rest)
      return
    }
    let parent = table[begin.vxid] ?? open(begin.vxid)
    if slots[parent].isComplete {
      diagnose("link too late", record, in: index, rest: rest)
    } else if isAncestor(index, of: parent) {
      diagnose("link mismatch", record, in: index, rest: rest)
    } else {
      attach(index, to: parent)
    }
  }

  mutating func processLink(_ record: Record<Layout>, of index: Int32, rest: RecordRun<Layout>) {
    guard let link = Bracket(record.payload, vxidBits: vxidBits) else {
      diagnose("parse error", record, in: index, rest: rest)
      return
    }
    if link.type == .unknown { diagnose("unknown vxid type", record, in: index, rest: rest) }
    switch options.grouping {
    case .vxid: return
    case .request: if slots[index].type == .session { return }
    case .session: break
    }
    guard link.vxid != 0 else {
      diagnose("illegal link vxid", record, in: index, rest: rest)
      return
    }
    guard link.vxid != slots[index].vxid else {
      diagnose("link to self", record, in: index, rest: rest)
      return
    }
    if wasRefused(link.vxid) {
      // The reason may also be that it had another parent, which a server doesn't log, and which can't be
      // told here.
      diagnose("link too late", record, in: index, rest: rest)
      return
    }
    guard let child = table[link.vxid] else {
      let child = open(link.vxid)
      slots[child].type = link.type
      slots[child].reason = link.reason
      attach(child, to: index)
      return
    }
    if slots[child].parent == index { return }
    if slots[child].parent >= 0 {
      diagnose("duplicate link", record, in: index, rest: rest)
    } else if slots[child].isComplete {
      diagnose("link too late", record, in: index, rest: rest)
    } else if isAncestor(child, of: index) {
      diagnose("link mismatch", record, in: index, rest: rest)
    } else {
      let known = slots[child].type
      if known != .unknown, known != link.type {
        diagnose("type mismatch", record, in: index, rest: rest)
      }
      slots[child].type = link.type
      slots[child].reason = link.reason
      attach(child, to: index)
    }
  }

  /// Puts a child last among its parent's children.
  private mutating func attach(_ child: Int32, to parent: Int32) {
    slots[child].parent = parent
    if slots[parent].lastChild >= 0 {
      slots[slots[parent].lastChild].nextSibling = child
    } else {
      slots[parent].firstChild = child
    }
    slots[parent].lastChild = child
    if !slots[child].isReady { slots[parent].unreadyChildren += 1 }
  }

  /// Whether `index` is `descendant` or above it.
  ///
  /// A log that puts a transaction below its own descendant is wrong; following it would make a ring of
  /// transactions that all wait for each other.
  private func isAncestor(_ index: Int32, of descendant: Int32) -> Bool {
    var at = descendant
    while at >= 0 {
      if at == index { return true }
      at = slots[at].parent
    }
    return false
  }

  // MARK: Notes

  /// The longest text of a note.
  static var noteByteCountMax: Int { 63 }

  /// Adds a note behind a record that says what is wrong with it.
  mutating func diagnose(
    _ reason: String, _ record: Record<Layout>, in index: Int32, rest: RecordRun<Layout>
  ) {
    guard keepsNotes else { return }
    let name = tags.tag(record.tag)?.name ?? "unknown"
    var text = Array("\(reason) (\(record.vxid):\(name) \"".utf8)
    unsafe text += record.payload.droppingFinalNULs.prefix(Self.noteByteCountMax).buffer
    text += Array("\")".utf8)
    addNote(text.prefix(Self.noteByteCountMax), to: index, rest: rest)
  }

  mutating func addNote(_ text: StaticString, to index: Int32, rest: RecordRun<Layout>) {
    addNote(text.withUTF8Buffer { unsafe Array($0)[...] }, to: index, rest: rest)
  }

  /// Adds a note in front of `rest`, the part of the present piece that comes after it.
  private mutating func addNote(
    _ text: ArraySlice<UInt8>, to index: Int32, rest: RecordRun<Layout>
  ) {
    guard keepsNotes else { return }
    storeInPlace(index, upTo: rest)
    slots[index].store.append(
      tag: roles.vsl, vxid: slots[index].vxid, side: slots[index].markerSide,
      text: Array(text), &memory)
  }

  /// Copies the present piece up to where `rest` begins; `rest` stays in place.
  private mutating func storeInPlace(_ index: Int32, upTo rest: RecordRun<Layout>) {
    var cursor = present.records.makeCursor()
    while cursor.rest.byteCount > rest.byteCount, let record = cursor.next() {
      if keptTable.picks(record) { slots[index].store.append(record, &memory) }
    }
    present.records = rest
    // The picked records are those of the whole piece.
    present.picked = nil
  }
}
