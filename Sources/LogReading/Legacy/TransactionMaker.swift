import VarnishLog

/// Makes transactions, as later generations have them, of the records of 2.0 to 3.0 (`vsl-tags.md` 8.1).
///
/// A request's transaction comes out when it has ended, in one piece, behind those of its fetches; a connection's when
/// it is closed. What has no place in a transaction is left out.
struct TransactionMaker: ~Copyable {
  private let roles: OldTagRoles
  private let tags: Numbers
  private let keptTags: TagTable
  private var sides: ConnectionSides
  private var connections: [UInt32: OpenConnection] = [:]
  private var requests: [UInt32: OpenRequest] = [:]
  /// How many bytes are kept of what is open.
  private var openByteCount = 0
  /// Transactions that were too large to be kept, or of which a part is missing.
  private(set) var givenUpCount = 0

  /// What was made and isn't taken yet.
  private var made = RecordBuffer()
  private var pieces: [Piece] = []
  private var takenCount = 0

  /// A transaction that was made, and what of.
  private struct Piece {
    var start: Int, end: Int
    var place: UInt64, endPlace: UInt64
    var shape: RecordRun<WideRecords>.Shape
  }

  /// The numbering that transactions have.
  static var numbering: TagNumbering { .v73 }

  /// Today's tags by their numbers.
  private struct Numbers {
    let begin: UInt8, end: UInt8, link: UInt8, timestamp: UInt8, reqStart: UInt8, reqAcct: UInt8
    let pipeAcct: UInt8, bereqAcct: UInt8, backendOpen: UInt8, backendClose: UInt8, sessOpen: UInt8
    let sessClose: UInt8, fetchBody: UInt8

    init(_ table: TagTable) {
      // The numbering has all of them.
      func number(_ tag: Tag) -> UInt8 { table.number(of: tag) ?? TagNumbers.none }
      (begin, end, link) = (number(.begin), number(.end), number(.link))
      (timestamp, reqStart, reqAcct) = (number(.timestamp), number(.reqStart), number(.reqAcct))
      (pipeAcct, bereqAcct) = (number(.pipeAcct), number(.bereqAcct))
      (backendOpen, backendClose) = (number(.backendOpen), number(.backendClose))
      (sessOpen, sessClose) = (number(.sessOpen), number(.sessClose))
      fetchBody = number(.fetchBody)
    }
  }

  /// What one transaction, and all that are open, may keep.
  private static var byteCountMax: Int { 8 << 20 }
  private static var openByteCountMax: Int { 256 << 20 }

  /// How many fetches one request may have; there are a few dozen at most.
  private static var fetchCountMax: Int { 4096 }

  init(_ numbering: TagNumbering) {
    let target = TagTable(Self.numbering)
    roles = OldTagRoles(numbering, target: target)
    tags = Numbers(target)
    keptTags = target
    sides = ConnectionSides(numbering)
  }

  /// Where the oldest record of a request that is still open begins; nil if none is.
  var openPlace: UInt64? { requests.values.lazy.map(\.place).min() }

  /// Forgets all that is open, as what would have come of it is lost.
  mutating func forget() {
    connections = [:]
    requests = [:]
    openByteCount = 0
  }

  // MARK: Taking what was made

  /// The next transaction; valid until the next record is taken in.
  mutating func next() -> RecordRun<WideRecords>? {
    guard takenCount < pieces.count else { return nil }
    let piece = pieces[takenCount]
    takenCount += 1
    return unsafe RecordRun(
      start: made.start + piece.start, byteCount: piece.end - piece.start, madeOf: piece.place,
      to: piece.endPlace, shape: piece.shape)
  }

  // MARK: Taking in

  /// Takes in a record that lies from `place` to `endPlace`.
  ///
  /// - Precondition: `next` has returned nil since the last one.
  mutating func take(_ record: LegacyRecord, at place: UInt64, to endPlace: UInt64) {
    if takenCount > 0 {
      made.removeAll()
      pieces.removeAll(keepingCapacity: true)
      takenCount = 0
    }
    let role = roles[record.tag]
    let side = sides.side(ofTag: record.tag, descriptor: record.descriptor)
    guard role != .none, record.descriptor < ConnectionSides.descriptorCount else { return }
    if side == .client {
      takeOfClient(record, role, at: place, to: endPlace)
    } else {
      takeOfBackend(record, role, at: place, to: endPlace)
    }
  }

  /// Takes note of the side that a record tells of, and of nothing else.
  mutating func passOver(_ record: LegacyRecord) {
    _ = sides.side(ofTag: record.tag, descriptor: record.descriptor)
  }

  private mutating func connection(_ descriptor: UInt32) -> OpenConnection {
    if let known = connections[descriptor] { return known }
    let new = OpenConnection()
    connections[descriptor] = new
    return new
  }

  // MARK: Clients

  private mutating func takeOfClient(
    _ record: LegacyRecord, _ role: OldTagRoles.Role, at place: UInt64, to endPlace: UInt64
  ) {
    let connection = connection(record.descriptor)
    switch role {
    case .sessionOpen:
      finish(connection.session, seconds: nil, descriptor: record.descriptor, to: place)
      connection.session = OpenSession(
        vxid: MadeNumber.session(at: place), place: place, peer: Self.peer(record.payload))
    case .sessionClose: connection.session?.closeReason = Self.closeReason(record.payload)
    case .sessionEnd:
      finish(
        connection.session, seconds: record.payload.field(3)?.text, descriptor: record.descriptor,
        to: endPlace)
      connection.session = nil
    case .requestStart: begin(record.payload, connection, at: place)
    case .requestEnd:
      guard let request = connection.request else { return }
      connection.request = nil
      // Where a log is torn, one request's end may follow another's beginning.
      guard record.payload.field(1).flatMap(Self.number) == request.xid else { return giveUp(request) }
      finish(request, record.payload, to: endPlace)
    default:
      guard let request = connection.request else { return }
      take(record, role, into: request, at: place)
      guard request.records.byteCount > Self.byteCountMax || openByteCount > Self.openByteCountMax else {
        return
      }
      connection.request = nil
      giveUp(request)
    }
  }

  private mutating func begin(_ payload: LogBytes, _ connection: OpenConnection, at place: UInt64) {
    let open = connection.request
    connection.request = nil
    guard let xid = payload.field(3).flatMap(Self.number), let address = payload.field(1),
      let port = payload.field(2)
    else {
      if let open { giveUp(open) }
      return
    }
    var restarted: UInt32?
    if let open {
      if open.isRestarting, open.xid != xid {
        // What was restarted and went no further goes on in this one.
        if open.parts.count > 1 { open.parts.removeLast() }
        open.restart = xid
        restarted = open.xid
        finish(open, nil, to: place)
      } else {
        // Its end is missing.
        giveUp(open)
      }
    }
    // Only one can be known by a number.
    if let other = requests[xid] { abandon(other) }
    let session = connection.session
    let request = OpenRequest(xid: xid, place: place, session: session)
    request.restarted = restarted
    if restarted == nil { session?.note(xid) }
    let listener = session.map { " \($0.listener)" } ?? ""
    // A client that isn't known is better not named.
    if !address.equals("-") {
      request.records.append(
        tag: tags.reqStart, vxid: UInt64(xid), side: .client, "\(address.text) \(port.text)\(listener)")
    }
    connection.request = request
    requests[xid] = request
  }

  private mutating func take(
    _ record: LegacyRecord, _ role: OldTagRoles.Role, into request: OpenRequest, at place: UInt64
  ) {
    switch role {
    case .backendLink:
      announceFetch(record.payload, request, at: place)
      return
    case .length:
      if request.bodyByteCount == nil { request.bodyByteCount = record.payload.trimmed.text }
      return
    default: break
    }
    let before = request.records.byteCount
    defer { openByteCount += request.records.byteCount - before }
    if roles.isDebug(record.tag), let kept = KeptRecord.record(in: record.payload) {
      if kept.tag == .begin {
        request.isConverted = true
      } else if let tag = keptTags.number(of: kept.tag) {
        request.records.append(tag: tag, vxid: UInt64(request.xid), side: .client, kept.payload)
      }
      return
    }
    guard let tag = roles.target(record.tag, .client) else { return }
    switch role {
    case .call:
      if request.headEnd == nil { request.headEnd = before }
      request.isRestarting = false
      append(tag, call: record.payload, to: request)
    case .return: append(tag, return: record.payload, to: request)
    case .timeToLive:
      let text = Self.timeToLive(record.payload)
      request.records.append(tag: tag, vxid: UInt64(request.xid), side: .client, text)
    default:
      request.records.append(tag: tag, vxid: UInt64(request.xid), side: .client, record.payload)
      count(record, request)
    }
  }

  private func count(_ record: LegacyRecord, _ request: OpenRequest) {
    switch roles.part(record.tag) {
    case .rxWord: request.requestBytes.add(word: record.payload)
    case .rxHeader: request.requestBytes.add(header: record.payload)
    case .txWord: request.responseBytes.add(word: record.payload)
    case .txHeader: request.responseBytes.add(header: record.payload)
    case .none: break
    }
  }

  private func append(_ tag: UInt8, call method: LogBytes, to request: OpenRequest) {
    let method = method.droppingFinalNULs
    request.isPassed = method.equals(lowercased: "pass")
    if method.equals(lowercased: "pipe") { request.isPiped = true }
    request.records.append(tag: tag, vxid: UInt64(request.xid), side: .client, Self.method(method))
  }

  /// What VCL's methods are called today.
  private static func method(_ name: LogBytes) -> String {
    if name.equals(lowercased: "error") { return "SYNTH" }
    if name.equals(lowercased: "fetch") { return "BACKEND_RESPONSE" }
    return name.text.uppercased()
  }

  private mutating func append(_ tag: UInt8, return action: LogBytes, to request: OpenRequest) {
    let action = action.droppingFinalNULs
    if action.equals(lowercased: "error") {
      request.records.append(tag: tag, vxid: UInt64(request.xid), side: .client, "synth")
      return
    }
    request.records.append(tag: tag, vxid: UInt64(request.xid), side: .client, action)
    guard action.equals(lowercased: "restart") else { return }
    request.isRestarting = true
    // What comes now is of another transaction today, which begins with the same request.
    guard !request.isConverted, request.parts.count < 0xFFFF else { return }
    request.parts.append(request.records.byteCount)
    request.isPassed = false
  }

  private mutating func giveUp(_ request: OpenRequest) {
    abandon(request)
    givenUpCount += 1
  }

  private mutating func abandon(_ request: OpenRequest) {
    if requests[request.xid] === request { requests[request.xid] = nil }
    openByteCount -= min(openByteCount, request.records.byteCount)
    for fetch in request.fetches {
      openByteCount -= min(openByteCount, fetch.records.byteCount)
      // What is still logged of it belongs to nothing.
      if let connection = fetch.descriptor.flatMap({ connections[$0] }), connection.fetch === fetch {
        connection.fetch = nil
      }
    }
  }

  // MARK: Backends

  /// Notes which connection the next fetch of a request will use.
  private mutating func announceFetch(_ payload: LogBytes, _ request: OpenRequest, at place: UInt64) {
    guard let descriptor = payload.field(1).flatMap(Self.number), request.links.count < Self.fetchCountMax
    else { return }
    let fetch = makeFetch(for: request, at: place)
    request.links.append((request.records.byteCount, fetch))
    request.records.append(
      tag: tags.link, vxid: UInt64(request.xid), side: .client, "bereq \(fetch.vxid) \(fetch.reason)")
    guard descriptor < ConnectionSides.descriptorCount else { return }
    let connection = connection(descriptor)
    connection.announced = fetch
    // It may have begun already.
    if let open = connection.fetch, open.request == nil, open.parent == 0 || open.parent == request.xid {
      request.fetches.append(open)
      request.links[request.links.count - 1].fetch = open
    }
  }

  /// Why fetches are made; what a converted log says counts, if it is one of these.
  private static let fetchReasons = ["fetch", "bgfetch", "pass", "retry", "pipe"]

  private func makeFetch(for request: OpenRequest, at place: UInt64) -> OpenFetch {
    request.fetchCount += 1
    let reason = request.isPiped ? "pipe" : request.isPassed ? "pass" : "fetch"
    return OpenFetch(
      vxid: MadeNumber.fetch(request.fetchCount, of: request.xid), place: place, request: request,
      parent: request.xid, reason: reason)
  }

  private mutating func takeOfBackend(
    _ record: LegacyRecord, _ role: OldTagRoles.Role, at place: UInt64, to endPlace: UInt64
  ) {
    switch role {
    case .backendOpen:
      let connection = connection(record.descriptor)
      end(connection, to: place)
      connection.backend = Self.backend(record.payload)
      connection.isReused = false
    case .backendXID:
      let connection = connection(record.descriptor)
      end(connection, to: place)
      beginFetch(connection, Self.number(record.payload), record.descriptor, at: place)
    case .fetchStart:
      let connection = connection(record.descriptor)
      if connection.fetch?.hasMethod ?? false { end(connection, to: place) }
      if connection.fetch == nil { beginFetch(connection, nil, record.descriptor, at: place) }
      connection.fetch?.hasMethod = true
      take(record, role, into: connection, to: endPlace)
    case .backendEnd:
      guard let connection = connections[record.descriptor], let fetch = connection.fetch else { return }
      let isReused = roles.isReuse(record.tag)
      fetch.records.append(
        tag: tags.backendClose, vxid: fetch.vxid, side: .backend,
        "\(record.descriptor) \(record.payload.text) \(isReused ? "recycle" : "close")")
      end(connection, to: endPlace)
      connection.isReused = isReused
    default:
      guard let connection = connections[record.descriptor], connection.fetch != nil else { return }
      take(record, role, into: connection, to: endPlace)
    }
  }

  private mutating func beginFetch(
    _ connection: OpenConnection, _ xid: UInt32?, _ descriptor: UInt32, at place: UInt64
  ) {
    let fetch: OpenFetch
    if let announced = connection.announced, announced.request != nil, xid == nil || announced.parent == xid {
      fetch = announced
    } else if let request = xid.flatMap({ requests[$0] }), request.links.count < Self.fetchCountMax {
      fetch = makeFetch(for: request, at: place)
      request.links.append((request.records.byteCount, fetch))
      request.records.append(
        tag: tags.link, vxid: UInt64(request.xid), side: .client, "bereq \(fetch.vxid) \(fetch.reason)")
    } else {
      fetch = OpenFetch(
        vxid: MadeNumber.strayFetch(at: place), place: place, request: nil, parent: xid ?? 0, reason: "fetch")
    }
    connection.announced = nil
    connection.fetch = fetch
    fetch.descriptor = descriptor
    fetch.request?.fetches.append(fetch)
    guard let backend = connection.backend else { return }
    fetch.records.append(
      tag: tags.backendOpen, vxid: fetch.vxid, side: .backend,
      "\(descriptor) \(backend) \(connection.isReused ? "reuse" : "connect")")
  }

  private mutating func take(
    _ record: LegacyRecord, _ role: OldTagRoles.Role, into connection: OpenConnection, to endPlace: UInt64
  ) {
    guard let fetch = connection.fetch else { return }
    fetch.endPlace = endPlace
    if role == .length { fetch.bodyByteCount = record.payload.trimmed.text }
    let before = fetch.records.byteCount
    copy(record, role, into: fetch)
    openByteCount += fetch.records.byteCount - before
    switch roles.part(record.tag) {
    case .rxWord: fetch.responseBytes.add(word: record.payload)
    case .rxHeader: fetch.responseBytes.add(header: record.payload)
    case .txWord: fetch.requestBytes.add(word: record.payload)
    case .txHeader: fetch.requestBytes.add(header: record.payload)
    case .none: break
    }
    guard fetch.records.byteCount > Self.byteCountMax || openByteCount > Self.openByteCountMax else { return }
    openByteCount -= min(openByteCount, fetch.records.byteCount)
    fetch.request?.fetches.removeAll { $0 === fetch }
    connection.fetch = nil
    givenUpCount += 1
  }

  private func copy(_ record: LegacyRecord, _ role: OldTagRoles.Role, into fetch: OpenFetch) {
    if roles.isDebug(record.tag), let kept = KeptRecord.record(in: record.payload) {
      if kept.tag == .begin {
        fetch.isConverted = true
        let reason = kept.payload.field(3)?.text
        if let reason, Self.fetchReasons.contains(reason) { fetch.reason = reason }
      } else if let tag = keptTags.number(of: kept.tag) {
        fetch.records.append(tag: tag, vxid: fetch.vxid, side: .backend, kept.payload)
      }
      return
    }
    guard let tag = roles.target(record.tag, .backend) else { return }
    switch role {
    case .call: fetch.records.append(tag: tag, vxid: fetch.vxid, side: .backend, Self.method(record.payload))
    case .timeToLive:
      fetch.records.append(tag: tag, vxid: fetch.vxid, side: .backend, Self.timeToLive(record.payload))
    default: fetch.records.append(tag: tag, vxid: fetch.vxid, side: .backend, record.payload)
    }
  }

  /// What it is of was told by its number; today it is told by the transaction.
  private static func timeToLive(_ payload: LogBytes) -> LogBytes {
    payload.dropFirst(payload.field(1)?.count ?? 0).droppingLeadingBlanks
  }

  /// Ends what is being fetched on a connection: it comes out with its request, or now if that isn't known.
  private mutating func end(_ connection: OpenConnection, to endPlace: UInt64) {
    guard let fetch = connection.fetch else { return }
    connection.fetch = nil
    fetch.endPlace = endPlace
    if fetch.request == nil {
      emit(fetch, parent: UInt64(fetch.parent), start: nil, to: endPlace)
      openByteCount -= min(openByteCount, fetch.records.byteCount)
    }
  }

  // MARK: Making transactions

  private mutating func append(_ tag: UInt8, _ vxid: UInt64, _ side: Side, _ text: String) {
    made.append(tag: tag, vxid: vxid, side: side, text)
  }

  private mutating func append(timestamp label: String, _ vxid: UInt64, _ side: Side, _ values: String) {
    made.append(tag: tags.timestamp, vxid: vxid, side: side, "\(label): \(values)")
  }

  private static var zero: String { "0.000000000" }

  private mutating func emit(_ fetch: OpenFetch, parent: UInt64, start: String?, to endPlace: UInt64) {
    let first = made.byteCount
    append(tags.begin, fetch.vxid, .backend, "bereq \(parent) \(fetch.reason)")
    if let start, !fetch.isConverted {
      append(timestamp: "Start", fetch.vxid, .backend, "\(start) \(Self.zero) \(Self.zero)")
    }
    var cursor = fetch.records.run().makeCursor()
    while let record = cursor.next() { made.append(record) }
    let (sent, head) = (fetch.requestBytes.total, fetch.responseBytes.total)
    let body = fetch.bodyByteCount.flatMap { Int($0) }.map { max(0, min($0, .max / 4)) } ?? 0
    if !fetch.isConverted {
      append(tags.bereqAcct, fetch.vxid, .backend, "\(sent) 0 \(sent) \(head) \(body) \(head + body)")
    }
    append(tags.end, fetch.vxid, .backend, "")
    pieces.append(
      Piece(
        start: first, end: made.byteCount, place: fetch.place, endPlace: max(fetch.place, endPlace),
        shape: .plain))
  }

  /// Makes the transactions of a request: one for each of its parts, and one for each fetch in front of them.
  private mutating func finish(_ request: OpenRequest, _ reqEnd: LogBytes?, to endPlace: UInt64) {
    if requests[request.xid] === request { requests[request.xid] = nil }
    let times = RequestTimes(reqEnd)
    if let session = request.session, session.accepted == nil { session.accepted = times.accepted }
    for fetch in request.fetches {
      fetch.request = nil
      emit(fetch, parent: request.vxid(ofPart: fetch.part), start: times.start, to: endPlace)
      openByteCount -= min(openByteCount, fetch.records.byteCount)
      // What is still logged of it comes too late.
      if let connection = fetch.descriptor.flatMap({ connections[$0] }), connection.fetch === fetch {
        connection.fetch = nil
      }
    }
    openByteCount -= min(openByteCount, request.records.byteCount)
    for part in request.parts.indices { emit(part, of: request, times, to: endPlace) }
  }

  private mutating func emit(_ part: Int, of request: OpenRequest, _ times: RequestTimes, to endPlace: UInt64)
  {
    let vxid = request.vxid(ofPart: part)
    let isLast = part == request.parts.count - 1
    let first = made.byteCount
    let begin: String
    if part > 0 {
      begin = "req \(request.vxid(ofPart: part - 1)) restart"
    } else if let restarted = request.restarted {
      begin = "req \(restarted) restart"
    } else {
      begin = "req \(request.session?.vxid ?? 0) rxreq"
    }
    append(tags.begin, vxid, .client, begin)
    if let start = times.start, !request.isConverted {
      append(timestamp: "Start", vxid, .client, "\(start) \(Self.zero) \(Self.zero)")
      append(timestamp: "Req", vxid, .client, "\(start) \(Self.zero) \(Self.zero)")
    }
    if part > 0 { copy(0..<(request.headEnd ?? 0), of: request, vxid) }
    let end = isLast ? request.records.byteCount : request.parts[part + 1]
    let hasLinks = copy(request.parts[part]..<end, of: request, vxid)
    if let restart = request.restart, isLast {
      append(tags.link, vxid, .client, "req \(restart) restart")
    } else if isLast {
      appendEnd(request, times)
    } else {
      append(tags.link, vxid, .client, "req \(request.vxid(ofPart: part + 1)) restart")
    }
    append(tags.end, vxid, .client, "")
    pieces.append(
      Piece(
        start: first, end: made.byteCount, place: request.place, endPlace: max(request.place, endPlace),
        shape: hasLinks || !isLast || request.restart != nil ? .linked : .plain))
  }

  /// Copies records of a request, but for links to what has never come.
  @discardableResult
  private mutating func copy(_ range: Range<Int>, of request: OpenRequest, _ vxid: UInt64) -> Bool {
    var offset = range.lowerBound
    var hasLinks = false
    var links = request.links.drop { $0.offset < range.lowerBound }
    var cursor = request.records.run(from: offset).makeCursor()
    while offset < range.upperBound, let record = cursor.next() {
      let present = offset
      offset += record.bytes.count
      if record.tag == tags.link {
        guard links.first?.offset == present, let fetch = links.removeFirst().fetch, fetch.descriptor != nil
        else {
          continue
        }
        append(tags.link, vxid, .client, "bereq \(fetch.vxid) \(fetch.reason)")
        hasLinks = true
        continue
      }
      made.append(tag: record.tag, vxid: vxid, side: .client, record.payload.droppingFinalNUL)
    }
    return hasLinks
  }

  private mutating func appendEnd(_ request: OpenRequest, _ times: RequestTimes) {
    let vxid = UInt64(request.xid)
    let head = request.requestBytes.total
    guard !request.isConverted else { return }
    if let firstByte = times.firstByte {
      append(timestamp: request.isPiped ? "Pipe" : "Process", vxid, .client, firstByte)
    }
    if let end = times.end {
      append(timestamp: request.isPiped ? "PipeSess" : "Resp", vxid, .client, end)
    }
    if request.isPiped {
      // How much went through isn't logged.
      append(tags.pipeAcct, vxid, .client, "\(head) \(request.fetches.last?.requestBytes.total ?? 0)")
    } else if let length = request.bodyByteCount, let body = Int(length), (0...(.max / 4)).contains(body) {
      let sent = request.responseBytes.total
      append(tags.reqAcct, vxid, .client, "\(head) 0 \(head) \(sent) \(body) \(sent + body)")
    }
  }

  private mutating func finish(
    _ session: OpenSession?, seconds: String?, descriptor: UInt32, to endPlace: UInt64
  ) {
    guard let session else { return }
    let first = made.byteCount
    append(tags.begin, session.vxid, .client, "sess 0 HTTP/1")
    append(
      tags.sessOpen, session.vxid, .client, "\(session.peer) \(session.accepted ?? "0.000000") \(descriptor)")
    for request in session.requests { append(tags.link, session.vxid, .client, "req \(request) rxreq") }
    append(
      tags.sessClose, session.vxid, .client, "\(session.closeReason ?? "REM_CLOSE") \(seconds ?? "0").000")
    append(tags.end, session.vxid, .client, "")
    pieces.append(
      Piece(
        start: first, end: made.byteCount, place: session.place, endPlace: max(session.place, endPlace),
        shape: session.requests.isEmpty ? .plain : .linked))
  }

  // MARK: Reading payloads

  private static func number(_ text: LogBytes) -> UInt32? {
    let text = text.trimmed
    guard (1...10).contains(text.count) else { return nil }
    var number: UInt64 = 0
    for index in 0..<text.count {
      guard ASCII.isDigit(text[index]) else { return nil }
      number = number * 10 + UInt64(text[index] - 0x30)
    }
    return UInt32(exactly: number)
  }

  /// Of `IP PORT LISTENER` or `IP PORT IP PORT`: what today's `SessOpen` begins with.
  private static func peer(_ payload: LogBytes) -> String {
    let fields = (1...4).map { payload.field($0)?.text }
    let remote = "\(fields[0] ?? "0.0.0.0") \(fields[1] ?? "0")"
    guard let third = fields[2] else { return "\(remote) a0 0.0.0.0 0" }
    if let fourth = fields[3] { return "\(remote) a0 \(third) \(fourth)" }
    // A listener is called what it listens on.
    guard let colon = third.lastIndex(of: ":") else { return "\(remote) \(third) 0.0.0.0 0" }
    let address = third[..<colon]
    let port = third[third.index(after: colon)...]
    return
      "\(remote) \(third) \(address.isEmpty ? "0.0.0.0" : String(address)) \(port.isEmpty ? "0" : String(port))"
  }

  /// Of `NAME IP PORT IP PORT`, this end first: name, and the far end first.
  private static func backend(_ payload: LogBytes) -> String? {
    let fields = (1...5).map { payload.field($0)?.text }
    guard let name = fields[0] else { return nil }
    guard let localAddress = fields[1], let localPort = fields[2], let address = fields[3],
      let port = fields[4]
    else { return "\(name) 0.0.0.0 0 0.0.0.0 0" }
    return "\(name) \(address) \(port) \(localAddress) \(localPort)"
  }

  /// Today's word for why a connection was closed.
  private static func closeReason(_ payload: LogBytes) -> String {
    switch payload.text {
    case "EOF", "no request": "REM_CLOSE"
    case "Connection: close": "REQ_CLOSE"
    case "pipe": "TX_PIPE"
    case "timeout": "RX_TIMEOUT"
    case "error": "TX_ERROR"
    case let other: String(other.uppercased().map { $0.isWhitespace ? "_" : $0 })
    }
  }
}

/// What `ReqEnd` says of when a request came and was answered: `XID START END WAITED PROCESSED DELIVERED`.
private struct RequestTimes {
  private(set) var start: String?
  /// When its connection was accepted, if it is the first one of that.
  private(set) var accepted: String?
  /// The values of a timestamp each.
  private(set) var firstByte: String?, end: String?

  init(_ payload: LogBytes?) {
    guard let payload, let start = payload.field(2), let startTime = OldTime.nanoseconds(start) else {
      return
    }
    self.start = start.text
    if let waited = payload.field(4).flatMap(OldTime.nanoseconds) {
      accepted = OldTime.text(startTime - waited)
    }
    let processed = payload.field(5)
    let processedTime = processed.flatMap(OldTime.nanoseconds)
    if let processed, let processedTime {
      let (sum, overflows) = startTime.addingReportingOverflow(processedTime)
      if !overflows { firstByte = "\(OldTime.text(sum)) \(processed.text) \(processed.text)" }
    }
    guard let end = payload.field(3), let endTime = OldTime.nanoseconds(end) else { return }
    let last =
      payload.field(6).flatMap { OldTime.nanoseconds($0) == nil ? nil : $0.text }
      ?? OldTime.text(endTime - startTime)
    self.end = "\(end.text) \(OldTime.text(endTime - startTime)) \(last)"
  }
}

extension LogBytes {
  /// Without the last byte if that is a NUL.
  fileprivate var droppingFinalNUL: LogBytes {
    count > 0 && self[count - 1] == 0 ? prefix(count - 1) : self
  }
}
