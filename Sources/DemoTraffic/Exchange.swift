/// A client request with all that it leads to, decided before anything is written: only then is it known when
/// it must have begun to be finished now.
struct Exchange {
  let resource: Resource
  /// The first, and one more for each restart.
  let attempts: [Attempt]

  /// In microseconds.
  var duration: Int { attempts.reduce(0) { $0 + $1.duration } }
}

/// One way of a request through the cache's rules.
struct Attempt {
  let vxid: UInt64
  let lookup: Lookup
  /// The fetch, and one more for each retry.
  let fetches: [Fetch]
  let answer: Answer
  /// What the answer includes.
  let includes: [Exchange]
  /// Whether the rules ask for another attempt instead of delivering the answer.
  let isRestarted: Bool
  /// How long it takes, in microseconds, until it is known what to do, to work on the answer, and to send it.
  let deciding: Int, processing: Int, sending: Int

  /// What the cache has.
  enum Lookup {
    case hit(ObjectCache.Object)
    case miss, pass, pipe, synth
  }

  /// How long the answer's head is waited for.
  var waiting: Int { fetches.reduce(0) { $0 + $1.headDuration } }

  var duration: Int {
    deciding + waiting + (isRestarted ? 5 : processing + sending)
      + includes.reduce(0) { $0 + $1.duration }
  }
}

/// What the client gets.
struct Answer {
  var status: Int
  /// Of the body as it is kept.
  var byteCount: Int
  var isCompressed = false
  var condition = Condition.none
  /// Whether the cache made it up because the fetch failed.
  var isMadeUp = false

  /// What the client's own conditions make of it.
  enum Condition {
    case none
    case notModified
    case range(Range<Int>)
  }

  /// Of the body as it is sent.
  func sentByteCount(_ method: String) -> Int {
    if method == "HEAD" { return 0 }
    switch condition {
    case .none: return byteCount
    case .notModified: return 0
    case .range(let range): return range.count
    }
  }

  /// The words that go with a status.
  static func reason(_ status: Int) -> String {
    switch status {
    case 200: "OK"
    case 201: "Created"
    case 204: "No Content"
    case 206: "Partial Content"
    case 301: "Moved Permanently"
    case 302: "Found"
    case 304: "Not Modified"
    case 401: "Unauthorized"
    case 403: "Forbidden"
    case 404: "Not Found"
    case 409: "Conflict"
    case 422: "Unprocessable Content"
    case 500: "Internal Server Error"
    default: "Backend fetch failed"
    }
  }
}

/// One request to a backend.
struct Fetch {
  let vxid: UInt64
  let backend: Backend
  let fault: FetchFault?
  /// Whether the rules ask for another one.
  let isRetried: Bool
  /// Whether a connection was there already.
  let isReused: Bool
  let port: Int
  let status: Int
  let byteCount: Int
  let isCompressed: Bool
  /// How long it takes, in microseconds, to connect, to get the answer's head or to find out that there will be
  /// none, and to get the body.
  let connecting: Int, thinking: Int, receiving: Int
  /// Whether the client's transaction is finished, and logged, before this one.
  let endsLate: Bool

  /// What is done on both sides of waiting.
  static let preparing = 30, processing = 45

  /// Until the client's transaction goes on.
  var headDuration: Int {
    fault == nil
      ? Self.preparing + connecting + thinking + Self.processing : Self.preparing + thinking + 2
  }
}
