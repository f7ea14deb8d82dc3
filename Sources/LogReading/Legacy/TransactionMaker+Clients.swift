import VarnishLog

/// What clients' connections tell of requests.
extension TransactionMaker {
  mutating func takeOfClient(
    _ record: LegacyRecord, _ role: OldTagRoles.Role, at place: UInt64, to endPlace: UInt64
  ) {
    let connection = connection(record.descriptor)
    switch role {
    case .sessionOpen:
      finish(connection.session, seconds: nil, descriptor: record.descriptor, to: place)
      connection.session = OpenSession(
        vxid: MadeNumber.session(at: place), place: place, peer: OldPayload.peer(record.payload))
    case .sessionClose: connection.session?.closeReason = OldPayload.closeReason(record.payload)
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
      guard record.payload.field(1).flatMap(OldPayload.number) == request.xid else { return giveUp(request) }
      finish(request, record.payload, to: endPlace)
    default:
      guard let request = connection.request, !request.isGivenUp else { return }
      take(record, role, into: request, at: place)
      guard request.heldByteCount > Self.byteCountMax || openByteCount > Self.openByteCountMax else {
        return
      }
      connection.request = nil
      giveUp(request)
    }
  }

  mutating func begin(_ payload: LogBytes, _ connection: OpenConnection, at place: UInt64) {
    let open = connection.request
    connection.request = nil
    guard let xid = payload.field(3).flatMap(OldPayload.number), let address = payload.field(1),
      let port = payload.field(2)
    else {
      if let open { giveUp(open) }
      return
    }
    var restarted: UInt32?
    if let open {
      if open.isRestarting, open.xid != xid {
        // The restart goes on under a number of its own, not in the part that was begun for it.
        if open.parts.count > 1 { open.parts.removeLast() }
        open.restart = xid
        restarted = open.xid
        finish(open, nil, to: place)
      } else {
        // The end of the request before is missing.
        giveUp(open)
      }
    }
    // Only one open request can have a number.
    if let other = requests[xid] { giveUp(other) }
    let session = connection.session
    let request = OpenRequest(xid: xid, place: place, session: session)
    request.restarted = restarted
    if restarted == nil { session?.note(xid) }
    let listener = session.map { " \($0.listener)" } ?? ""
    // There is no `ReqStart` for a client that isn't known.
    if !address.equals("-") {
      request.records.append(
        tag: tags.reqStart, vxid: UInt64(xid), side: .client, "\(address.text) \(port.text)\(listener)")
    }
    connection.request = request
    requests[xid] = request
    recount(request)
  }

  mutating func take(
    _ record: LegacyRecord, _ role: OldTagRoles.Role, into request: OpenRequest, at place: UInt64
  ) {
    defer { recount(request) }
    switch role {
    case .backendLink:
      announceFetch(record.payload, request, at: place)
      return
    case .length:
      if request.bodyByteCount == nil { request.bodyByteCount = record.payload.trimmed.text }
      return
    default: break
    }
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
      if request.headEnd == nil { request.headEnd = request.records.byteCount }
      request.isRestarting = false
      append(tag, call: record.payload, to: request)
    case .return: append(tag, return: record.payload, to: request)
    case .timeToLive:
      let text = Self.timeToLive(record.payload)
      request.records.append(tag: tag, vxid: UInt64(request.xid), side: .client, text)
    default:
      request.records.append(tag: tag, vxid: UInt64(request.xid), side: .client, record.payload)
      request.headers.add(record.payload, roles.part(record.tag))
    }
  }

  func append(_ tag: UInt8, call method: LogBytes, to request: OpenRequest) {
    let method = method.droppingFinalNULs
    request.isPassed = method.equals(lowercased: "pass")
    if method.equals(lowercased: "pipe") { request.isPiped = true }
    request.records.append(tag: tag, vxid: UInt64(request.xid), side: .client, Self.method(method))
  }

  /// Today's name of a VCL method.
  static func method(_ name: LogBytes) -> String {
    if name.equals(lowercased: "error") { return "SYNTH" }
    if name.equals(lowercased: "fetch") { return "BACKEND_RESPONSE" }
    return name.text.uppercased()
  }

  mutating func append(_ tag: UInt8, return action: LogBytes, to request: OpenRequest) {
    let action = action.droppingFinalNULs
    if action.equals(lowercased: "error") {
      request.records.append(tag: tag, vxid: UInt64(request.xid), side: .client, "synth")
      return
    }
    request.records.append(tag: tag, vxid: UInt64(request.xid), side: .client, action)
    guard action.equals(lowercased: "restart") else { return }
    request.isRestarting = true
    // Today, what follows belongs to another transaction, which begins with the same request.
    guard !request.isConverted, request.parts.count < 0xFFFF else { return }
    request.parts.append(request.records.byteCount)
    request.isPassed = false
  }
}
