import Transactions
import VarnishLog

/// Writes groups of requests as 2.0 to 3.0 would have logged them.
///
/// A client's connection is made up for each group, and one to a backend. What these releases can't say
/// (times and sizes as later ones have them) goes into `Debug` records, from which it can be taken again
/// (`KeptRecord`).
struct OldRequestWriter: ~Copyable {
  private let source: TagTable
  private let target: TagNumbering
  private let client: [UInt8?]
  private let backend: [UInt8?]
  private let tags: Numbers
  /// The names of tags whose records are always kept in `Debug` records, and of tags of which only further
  /// records are; nil for all others.
  private let names: [String?], repeatedNames: [String?]

  private static let clientDescriptor: UInt32 = 11
  private static let backendDescriptor: UInt32 = 12
  /// The descriptor of fetches that have got no connection, so that they don't seem to be on that of another
  /// fetch.
  private static let unconnectedDescriptor: UInt32 = 13

  /// The old tags that are written without there being a record for them.
  private struct Numbers {
    let sessionOpen: UInt8, sessionClose: UInt8, statSess: UInt8, reqStart: UInt8, reqEnd: UInt8
    let backend: UInt8, backendXID: UInt8, backendOpen: UInt8, backendReuse: UInt8, backendClose: UInt8
    let length: UInt8, debug: UInt8

    init(_ table: TagTable) {
      // All three numberings have all of them.
      func number(_ tag: Tag) -> UInt8 { table.number(of: tag) ?? TagNumbers.none }
      (sessionOpen, sessionClose, statSess) = (number(.sessionOpen), number(.sessionClose), number(.statSess))
      (reqStart, reqEnd) = (number(.reqStart), number(.reqEnd))
      (backend, backendXID) = (number(.backend), number(.backendXID))
      (backendOpen, backendReuse, backendClose) = (
        number(.backendOpen), number(.backendReuse), number(.backendClose)
      )
      (length, debug) = (number(.length), number(.debug))
    }
  }

  init(from source: TagTable, to target: TagNumbering) {
    self.source = source
    self.target = target
    let table = TagTable(target)
    tags = Numbers(table)
    func names(_ kept: Set<Tag>) -> [String?] {
      RecordHeader.tagNumbers.map { number in
        source.tag(number).flatMap { kept.contains($0) ? $0.name : nil }
      }
    }
    let missing = KeptRecord.missing.filter { table.number(of: $0) == nil }
    (self.names, repeatedNames) = (names(KeptRecord.tags.union(missing)), names(KeptRecord.repeatable))
    func numbers(_ others: [Tag: Tag]) -> [UInt8?] {
      RecordHeader.tagNumbers.map { number in
        guard let tag = source.tag(number) else { return nil }
        return others[tag].flatMap(table.number)
          ?? (Self.sameTags.contains(tag) ? table.number(of: tag) : nil)
      }
    }
    client = numbers([
      .reqMethod: .rxRequest, .reqURL: .rxURL, .reqProtocol: .rxProtocol, .reqHeader: .rxHeader,
      .respProtocol: .txProtocol, .respStatus: .txStatus, .respReason: .txResponse, .respHeader: .txHeader,
      .objReason: .objResponse, .vclError: .vclErrorOld,
    ])
    backend = numbers([
      .bereqMethod: .txRequest, .bereqURL: .txURL, .bereqProtocol: .txProtocol, .bereqHeader: .txHeader,
      .berespProtocol: .rxProtocol, .berespStatus: .rxStatus, .berespReason: .rxResponse,
      .berespHeader: .rxHeader,
      .objReason: .objResponse, .vclError: .vclErrorOld,
    ])
  }

  private static let sameTags: Set<Tag> = [
    .debug, .error, .httpGarbage, .fetchError, .objURL, .objProtocol, .objStatus, .objHeader, .lostHeader,
    .fetchBody,
    .vclACL, .vclCall, .vclTrace, .vclReturn, .hit, .hitPass, .esiXMLError, .hash, .vclLog, .gzip, .ttl,
  ]

  // MARK: Groups

  /// Appends a group: its attempts one after the other on a client's connection, with the fetches of each.
  mutating func append<Layout: RecordLayout>(
    _ group: TransactionGroup<Layout>, numbers: inout NumberNarrowing, omitted: inout Omissions,
    to bytes: inout [UInt8]
  ) {
    let members = (0..<group.count).map { group[$0] }
    let attempts = members.filter { $0.type == .request && $0.reason != .esi }
    // Fragments have no request of their own; their records would be taken for those of the whole request.
    omitted.fragments += members.count { $0.type == .request && $0.reason == .esi }
    omitted.others += members.count { $0.type != .request && $0.type != .backendRequest }
    guard let first = attempts.first else {
      for fetch in members where fetch.type == .backendRequest {
        append(fetch: fetch, of: nil, numbers: &numbers, omitted: &omitted, to: &bytes)
      }
      return
    }
    let client = ClientAddress(first, source)
    write(
      tags.sessionOpen, Self.clientDescriptor, "\(client.address) \(client.port) \(client.listener)",
      to: &bytes)
    var fetches = members.filter { $0.type == .backendRequest }
    var totals = SessionTotals()
    for attempt in attempts {
      let own = fetches.filter { owner(of: $0, members) == attempt.vxid }
      fetches.removeAll { fetch in own.contains { $0.vxid == fetch.vxid } }
      // An attempt that was restarted isn't ended by itself, but by the next attempt.
      let isEnded = !attempts.contains { $0.reason == .restart && $0.parentVXID == attempt.vxid }
      append(
        attempt, client, fetches: own, isEnded: isEnded, &totals, numbers: &numbers, omitted: &omitted,
        to: &bytes)
    }
    for fetch in fetches { append(fetch: fetch, of: nil, numbers: &numbers, omitted: &omitted, to: &bytes) }
    write(tags.sessionClose, Self.clientDescriptor, totals.isPiped ? "pipe" : "EOF", to: &bytes)
    write(
      tags.statSess, Self.clientDescriptor,
      "\(client.address) \(client.port) 0 1 \(attempts.count) \(totals.pipes) \(totals.passes) \(totals.fetches) "
        + "\(totals.headerBytes) \(totals.bodyBytes)", to: &bytes)
  }

  /// The attempt that a fetch belongs to, perhaps through a fragment or an earlier fetch.
  private func owner<Layout: RecordLayout>(
    of fetch: Transaction<Layout>, _ members: [Transaction<Layout>]
  ) -> UInt64 {
    var parent = fetch.parentVXID
    for _ in 0..<members.count {
      guard let found = members.first(where: { $0.vxid == parent }) else { return parent }
      if found.type == .request, found.reason != .esi { return parent }
      parent = found.parentVXID
    }
    return parent
  }

  // MARK: Attempts

  private func append<Layout: RecordLayout>(
    _ request: Transaction<Layout>, _ client: ClientAddress, fetches: [Transaction<Layout>],
    isEnded: Bool, _ totals: inout SessionTotals, numbers: inout NumberNarrowing, omitted: inout Omissions,
    to bytes: inout [UInt8]
  ) {
    let descriptor = Self.clientDescriptor
    let xid = numbers.narrowed(request.vxid)
    let survey = RequestSurvey(request, source)
    write(tags.reqStart, descriptor, "\(client.address) \(client.port) \(xid)", to: &bytes)
    var fetches = fetches[...]
    var written: Set<Tag> = []
    var cursor = request.makeCursor()
    while let record = cursor.next() {
      guard let tag = source.tag(record.tag) else {
        omitted.note(record.tag)
        continue
      }
      let payload = record.payload.droppingFinalNUL
      switch tag {
      case .end, .reqStart: continue
      case .link:
        if payload.field(1)?.equals("bereq") ?? false, let fetch = fetches.popFirst() {
          append(fetch: fetch, of: xid, numbers: &numbers, omitted: &omitted, to: &bytes)
          totals.fetches += 1
        }
      case .reqMethod, .reqURL, .reqProtocol:
        // A second record of the tag would be taken for the next request's.
        if written.insert(tag).inserted {
          copy(record, descriptor, xid: xid, omitted: &omitted, to: &bytes)
        } else {
          keep(record, repeatedNames, descriptor, to: &bytes)
        }
      case .respStatus:
        // The last status counts, and has to be the only one.
        if written.insert(tag).inserted, let number = self.client[Int(record.tag)] {
          write(number, descriptor, survey.status ?? payload.text, to: &bytes)
        }
        if survey.hasSeveralStatuses { keep(record, repeatedNames, descriptor, to: &bytes) }
      case .vclReturn:
        if payload.equals(lowercased: "pipe") { totals.pipes += 1 }
        if payload.equals(lowercased: "pass") { totals.passes += 1 }
        copy(record, descriptor, xid: xid, omitted: &omitted, to: &bytes)
      default: copy(record, descriptor, xid: xid, omitted: &omitted, to: &bytes)
      }
    }
    for fetch in fetches { append(fetch: fetch, of: xid, numbers: &numbers, omitted: &omitted, to: &bytes) }
    guard isEnded else { return }
    if let length = survey.bodyByteCount { write(tags.length, descriptor, length, to: &bytes) }
    totals.add(survey)
    write(tags.reqEnd, descriptor, "\(xid) \(survey.times)", to: &bytes)
  }

  // MARK: Fetches

  private func append<Layout: RecordLayout>(
    fetch: Transaction<Layout>, of xid: UInt64?, numbers: inout NumberNarrowing, omitted: inout Omissions,
    to bytes: inout [UInt8]
  ) {
    let survey = FetchSurvey(fetch, source)
    let descriptor = survey.connection == nil ? Self.unconnectedDescriptor : Self.backendDescriptor
    if xid != nil {
      write(
        tags.backend, Self.clientDescriptor, "\(descriptor) \(survey.backend) \(survey.backend)", to: &bytes)
    }
    if let connection = survey.connection {
      write(tags.backendOpen, descriptor, "\(survey.backend) \(connection)", to: &bytes)
    }
    write(tags.backendXID, descriptor, "\(xid ?? numbers.narrowed(fetch.parentVXID))", to: &bytes)
    var written: Set<Tag> = []
    var cursor = fetch.makeCursor()
    while let record = cursor.next() {
      guard let tag = source.tag(record.tag) else {
        omitted.note(record.tag)
        continue
      }
      switch tag {
      case .end, .link, .backendOpen, .backendClose, .backendReuse, .length: continue
      case .bereqMethod where !written.insert(tag).inserted:
        // A second record of the tag would be taken for the next fetch's.
        keep(record, repeatedNames, descriptor, to: &bytes)
      default: copy(record, descriptor, xid: xid ?? 0, omitted: &omitted, to: &bytes)
      }
    }
    if let length = survey.bodyByteCount { write(tags.length, descriptor, length, to: &bytes) }
    if survey.connection == nil, xid != nil { return }
    write(survey.isKept ? tags.backendReuse : tags.backendClose, descriptor, survey.backend, to: &bytes)
  }

  // MARK: Records

  private func copy<Layout: RecordLayout>(
    _ record: Record<Layout>, _ descriptor: UInt32, xid: UInt64, omitted: inout Omissions,
    to bytes: inout [UInt8]
  ) {
    if keep(record, names, descriptor, to: &bytes) { return }
    let payload = record.payload.droppingFinalNUL
    guard let number = (descriptor == Self.clientDescriptor ? client : backend)[Int(record.tag)] else {
      omitted.note(record.tag)
      return
    }
    switch source.tag(record.tag) {
    case .vclCall?:
      let method = payload.text.lowercased()
      write(number, descriptor, method == "synth" ? "error" : method, to: &bytes)
    case .vclReturn?:
      write(number, descriptor, payload.equals(lowercased: "synth") ? "error" : payload.text, to: &bytes)
    case .ttl?: write(number, descriptor, "\(xid) \(payload.text)", to: &bytes)
    default:
      unsafe LegacyRecordBytes.append(tag: number, descriptor: descriptor, payload.buffer, target, to: &bytes)
    }
  }

  /// Keeps a record in a `Debug` record if its tag has one of the names.
  @discardableResult
  private func keep<Layout: RecordLayout>(
    _ record: Record<Layout>, _ names: [String?], _ descriptor: UInt32, to bytes: inout [UInt8]
  ) -> Bool {
    guard let name = names[Int(record.tag)] else { return false }
    let payload = record.payload.droppingFinalNUL
    write(tags.debug, descriptor, KeptRecord.text(name, payload.text), to: &bytes)
    return true
  }

  private func write(_ tag: UInt8, _ descriptor: UInt32, _ text: String, to bytes: inout [UInt8]) {
    var text = text
    text.withUTF8 { utf8 in
      unsafe LegacyRecordBytes.append(
        tag: tag, descriptor: descriptor, UnsafeRawBufferPointer(utf8), target, to: &bytes)
    }
  }
}
