import LogWriting

/// Decides how requests are answered.
struct Planner {
  var random: SeededRandom
  private var cache = ObjectCache()
  private let writer: LogWriter
  /// How many client requests there have been.
  private(set) var requestCount = 0
  private(set) var hitCount = 0

  init(_ writer: LogWriter, seed: UInt64) {
    self.writer = writer
    random = SeededRandom(seed: seed)
  }

  /// The visitor's next request, with all that follows from it.
  mutating func next(_ visitor: Visitor) -> Exchange {
    requestCount += 1
    var resource = Site.draw(visitor, &random)
    if resource.method == "GET", resource.handling == .cache, !visitor.agent.isBrowser, random.chance(20) {
      resource.method = "HEAD"
    }
    let exchange = plan(resource, visitor, level: 0)
    if let last = exchange.attempts.last, case .hit = last.lookup { hitCount += 1 }
    return exchange
  }

  private mutating func plan(_ resource: Resource, _ visitor: Visitor, level: Int) -> Exchange {
    let restarts = resource.handling == .restart ? 1 : 0
    let attempts = (0...restarts).map { number in
      attempt(resource, visitor, level: level, isLast: number == restarts)
    }
    return Exchange(resource: resource, attempts: attempts)
  }

  private mutating func attempt(
    _ resource: Resource, _ visitor: Visitor, level: Int, isLast: Bool
  ) -> Attempt {
    let vxid = writer.nextVXID()
    let lookup = lookUp(resource)
    let fetches =
      switch lookup {
      case .hit, .synth: [Fetch]()
      case .miss, .pass, .pipe: fetch(resource, isConflict: !isLast)
      }
    if let last = fetches.last, last.fault == nil, last.status == 200 || last.status == 404, isLast,
      case .miss = lookup
    {
      cache.keep(
        resource.key, vxid: last.vxid, at: requestCount,
        lifetime: last.status == 404 ? 100 : 400 + Int(resource.fingerprint % 4000))
    }
    let answer = answer(resource, visitor, lookup, fetches.last, isFragment: level > 0)
    let isDelivered = isLast && !answer.isMadeUp
    var includes: [Exchange] = []
    if isDelivered, resource.method != "HEAD", case .none = answer.condition {
      includes = resource.fragments.map { plan($0, visitor, level: level + 1) }
    }
    return Attempt(
      vxid: vxid, lookup: lookup, fetches: fetches, answer: answer, includes: includes,
      isRestarted: !isLast, deciding: random.number(in: 25..<110), processing: random.number(in: 12..<60),
      sending: random.latency(20 + answer.sentByteCount(resource.method) / 60))
  }

  private mutating func lookUp(_ resource: Resource) -> Attempt.Lookup {
    switch resource.handling {
    case .pass: return .pass
    case .pipe: return .pipe
    case .synth: return .synth
    case .restart: return .miss
    case .cache:
      if let object = cache.look(for: resource.key, at: requestCount) { return .hit(object) }
      guard requestCount <= Self.earlyCount, random.chance(65) else { return .miss }
      return .hit(cache.keep(resource.key, vxid: writer.nextVXID(), at: requestCount, lifetime: 300))
    }
  }

  /// How many requests may hit objects that were fetched before the log began: a busy cache isn't empty.
  private static let earlyCount = 200

  private mutating func answer(
    _ resource: Resource, _ visitor: Visitor, _ lookup: Attempt.Lookup, _ fetch: Fetch?, isFragment: Bool
  ) -> Answer {
    if case .synth(let status, let location) = resource.handling {
      return Answer(status: status, byteCount: location == nil ? 261 : 0)
    }
    if let fetch, fetch.fault != nil { return Answer(status: 503, byteCount: 278, isMadeUp: true) }
    var answer = Answer(
      status: fetch?.status ?? resource.status, byteCount: fetch?.byteCount ?? resource.byteCount,
      isCompressed: fetch?.isCompressed ?? resource.type.isCompressible)
    if fetch == nil, answer.isCompressed { answer.byteCount = compressed(resource.byteCount) }
    guard !isFragment, answer.status == 200, resource.method == "GET" else { return answer }
    if case .hit = lookup, visitor.agent.isBrowser, random.chance(18) {
      answer.condition = .notModified
    } else if resource.type.name == ContentType.video.name {
      let start = random.number(in: 0..<answer.byteCount / 2)
      let end = min(answer.byteCount, start + random.number(in: 200_000..<4_000_000))
      answer.condition = .range(start..<end)
    }
    return answer
  }

  private func compressed(_ byteCount: Int) -> Int { max(40, byteCount * 3 / 11) }

  // MARK: Fetches

  /// - Parameter isConflict: whether the fetch brings the response because of which the request is restarted.
  private mutating func fetch(_ resource: Resource, isConflict: Bool) -> [Fetch] {
    let first = resource.backend
    guard resource.handling != .pipe,
      let fault = FetchFault.draw(first, requests: requestCount, &random)
    else { return [fetch(resource, from: first, isConflict: isConflict)] }
    // The shop has two servers, each of which can replace the other.
    let other: Backend? = first.name == "web1" ? .web2 : first.name == "web2" ? .web1 : nil
    guard let other, resource.method != "POST" else {
      return [fetch(resource, from: first, fault: fault)]
    }
    return [
      fetch(resource, from: first, fault: fault, isRetried: true),
      fetch(resource, from: other, isConflict: isConflict),
    ]
  }

  private mutating func fetch(
    _ resource: Resource, from backend: Backend, fault: FetchFault? = nil, isRetried: Bool = false,
    isConflict: Bool = false
  ) -> Fetch {
    let isReused = random.chance(85)
    let byteCount = isConflict ? 64 : resource.byteCount
    let isCompressed = resource.type.isCompressible && byteCount > 0 && !isConflict
    let sent = isCompressed ? compressed(byteCount) : byteCount
    return Fetch(
      vxid: writer.nextVXID(), backend: backend, fault: fault, isRetried: isRetried, isReused: isReused,
      port: random.number(in: 32_768..<60_999), status: isConflict ? 409 : resource.status, byteCount: sent,
      isCompressed: isCompressed, connecting: isReused ? 4 : random.latency(350),
      thinking: fault?.duration(&random) ?? random.latency(backend.thinking),
      receiving: random.latency(40 + sent / 400), endsLate: fault == nil && random.chance(30))
  }
}
