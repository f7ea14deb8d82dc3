/// The messages that clients, the cache and backends exchange.
enum Messages {
  /// The head of a visitor's request, as it arrives.
  static func request(
    _ resource: Resource, _ visitor: Visitor, _ answer: Answer, referrer: String?
  ) -> [Header] {
    let isHTTP2 = visitor.transport == .http2
    var headers =
      isHTTP2
      ? [Header("scheme", "https"), Header("host", resource.host)] : [Header("Host", resource.host)]
    headers += [
      Header("User-Agent", visitor.agent.name), Header("Accept", resource.type.accept),
      Header("Accept-Language", visitor.language), Header("Accept-Encoding", "gzip, deflate, br"),
    ]
    if let referrer, visitor.agent.isBrowser { headers.append(Header("Referer", referrer)) }
    if let cookie = visitor.cookie { headers.append(Header("Cookie", cookie)) }
    if resource.method == "POST" || resource.method == "PUT" {
      headers += [
        Header("Content-Type", "application/json"), Header("Content-Length", "\(bodyByteCount(resource))"),
      ]
    }
    if resource.handling == .pipe {
      headers += [Header("Connection", "Upgrade"), Header("Upgrade", "websocket")]
    }
    switch answer.condition {
    case .none: break
    case .notModified: headers.append(Header("If-None-Match", tag(of: resource)))
    case .range(let range):
      headers.append(Header("Range", "bytes=\(range.lowerBound)-\(range.upperBound - 1)"))
    }
    guard isHTTP2 else { return headers }
    return headers.map { Header($0.name.lowercased(), $0.value) }
  }

  /// The size of a request's body in bytes.
  static func bodyByteCount(_ resource: Resource) -> Int {
    resource.method == "POST" || resource.method == "PUT" ? 40 + Int(resource.fingerprint % 90) : 0
  }

  /// The head of a backend's response.
  ///
  /// - Parameter moment: when the backend responds.
  static func response(
    _ resource: Resource, _ backend: Backend, status: Int, byteCount: Int, isCompressed: Bool, at moment: Int
  ) -> [Header] {
    var headers = [
      Header("Server", backend.server), Header("Date", LogTime.date(moment)),
      Header("Content-Type", resource.type.name),
    ]
    if status != 204 { headers.append(Header("Content-Length", "\(byteCount)")) }
    if isCompressed { headers += [Header("Content-Encoding", "gzip"), Header("Vary", "Accept-Encoding")] }
    if resource.handling == .cache, status == 200 {
      headers += [Header("ETag", tag(of: resource)), Header("Cache-Control", "public, max-age=600")]
    } else {
      headers.append(Header("Cache-Control", "private, no-store"))
    }
    if status == 401 { headers.append(Header("WWW-Authenticate", "Bearer realm=\"api\"")) }
    return headers
  }

  private static func tag(of resource: Resource) -> String {
    "\"" + String(resource.fingerprint, radix: 16) + "\""
  }
}
