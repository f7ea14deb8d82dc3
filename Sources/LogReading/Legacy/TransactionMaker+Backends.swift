import VarnishLog

/// What connections to backends tell of fetches.
extension TransactionMaker {
  /// Notes which connection the next fetch of a request will use.
  mutating func announceFetch(_ payload: LogBytes, _ request: OpenRequest, at place: UInt64) {
    guard let descriptor = payload.field(1).flatMap(OldPayload.number),
      request.links.count < Self.fetchCountMax
    else { return }
    let fetch = makeFetch(for: request, at: place)
    request.links.append((request.records.byteCount, fetch))
    request.records.append(
      tag: tags.link, vxid: UInt64(request.xid), side: .client, "bereq \(fetch.vxid) \(fetch.reason)")
    guard descriptor < ConnectionSides.descriptorCount else { return }
    let connection = connection(descriptor)
    connection.announced = fetch
    // The fetch may have begun already.
    if let open = connection.fetch, open.request == nil, open.parent == 0 || open.parent == request.xid {
      request.fetches.append(open)
      request.links[request.links.count - 1].fetch = open
    }
  }

  /// The reasons for fetches; the one that a converted log gives counts if it is one of these.
  static let fetchReasons = ["fetch", "bgfetch", "pass", "retry", "pipe"]

  func makeFetch(for request: OpenRequest, at place: UInt64) -> OpenFetch {
    request.fetchCount += 1
    let reason = request.isPiped ? "pipe" : request.isPassed ? "pass" : "fetch"
    return OpenFetch(
      vxid: MadeNumber.fetch(request.fetchCount, of: request.xid), place: place, request: request,
      parent: request.xid, reason: reason)
  }

  mutating func takeOfBackend(
    _ record: LegacyRecord, _ role: OldTagRoles.Role, at place: UInt64, to endPlace: UInt64
  ) {
    switch role {
    case .backendOpen:
      let connection = connection(record.descriptor)
      end(connection, to: place)
      connection.backend = OldPayload.backend(record.payload)
      connection.isReused = false
    case .backendXID:
      let connection = connection(record.descriptor)
      end(connection, to: place)
      beginFetch(connection, OldPayload.number(record.payload), record.descriptor, at: place)
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
      recount(fetch)
      end(connection, to: endPlace)
      connection.isReused = isReused
    default:
      guard let connection = connections[record.descriptor], connection.fetch != nil else { return }
      take(record, role, into: connection, to: endPlace)
    }
  }

  mutating func beginFetch(
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
    if let request = fetch.request {
      request.fetches.append(fetch)
      recount(request)
    }
    guard let backend = connection.backend else { return }
    defer { recount(fetch) }
    fetch.records.append(
      tag: tags.backendOpen, vxid: fetch.vxid, side: .backend,
      "\(descriptor) \(backend) \(connection.isReused ? "reuse" : "connect")")
  }

  mutating func take(
    _ record: LegacyRecord, _ role: OldTagRoles.Role, into connection: OpenConnection, to endPlace: UInt64
  ) {
    guard let fetch = connection.fetch else { return }
    fetch.endPlace = endPlace
    if role == .length { fetch.bodyByteCount = record.payload.trimmed.text }
    copy(record, role, into: fetch)
    recount(fetch)
    fetch.headers.add(record.payload, roles.part(record.tag))
    guard fetch.records.byteCount > Self.byteCountMax || openByteCount > Self.openByteCountMax else { return }
    release(fetch)
    fetch.request?.fetches.removeAll { $0 === fetch }
    connection.fetch = nil
    givenUpCount += 1
  }

  func copy(_ record: LegacyRecord, _ role: OldTagRoles.Role, into fetch: OpenFetch) {
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

  /// The payload of today's `TTL`, without the request's number in front, which the transaction tells today.
  static func timeToLive(_ payload: LogBytes) -> LogBytes {
    payload.dropFirst(payload.field(1)?.count ?? 0).droppingLeadingBlanks
  }

  /// Ends the fetch on a connection, which is handed out with its request, or now if the request isn't known.
  mutating func end(_ connection: OpenConnection, to endPlace: UInt64) {
    guard let fetch = connection.fetch else { return }
    connection.fetch = nil
    fetch.endPlace = endPlace
    if fetch.request == nil {
      emit(fetch, parent: UInt64(fetch.parent), start: nil, to: endPlace)
      release(fetch)
    }
  }
}
