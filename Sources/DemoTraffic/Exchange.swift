/// A client request with its fetches and fragments, planned before anything is written: a request that ends
/// now must have begun earlier, by its duration, which is only known then.
struct Exchange {
  let resource: Resource
  /// The first attempt, and one more for each restart.
  let attempts: [Attempt]

  /// The duration in microseconds.
  var duration: Int { attempts.reduce(0) { $0 + $1.duration } }
}

/// One pass of a request through the cache's rules.
struct Attempt {
  let vxid: UInt64
  let lookup: Lookup
  /// The fetch, and one more for each retry.
  let fetches: [Fetch]
  let answer: Answer
  /// The requests that the response includes.
  let includes: [Exchange]
  /// Whether the rules restart the request instead of delivering the response.
  let isRestarted: Bool
  /// The times for deciding, for processing the response, and for sending it, in microseconds.
  let deciding: Int, processing: Int, sending: Int

  /// The result of the lookup in the cache.
  enum Lookup {
    case hit(ObjectCache.Object)
    case miss, pass, pipe, synth
  }

  /// The time until the response's head arrives, in microseconds.
  var waiting: Int { fetches.reduce(0) { $0 + $1.headDuration } }

  var duration: Int {
    deciding + waiting + (isRestarted ? 5 : processing + sending)
      + includes.reduce(0) { $0 + $1.duration }
  }
}

/// The response that the client gets.
struct Answer {
  var status: Int
  /// The size of the body as it is cached.
  var byteCount: Int
  var isCompressed = false
  var condition = Condition.none
  /// Whether the cache itself made the response because the fetch failed.
  var isMadeUp = false

  /// The effect of conditions in the client's request.
  enum Condition {
    case none
    case notModified
    case range(Range<Int>)
  }

  /// The size of the body as it is sent.
  func sentByteCount(_ method: String) -> Int {
    if method == "HEAD" { return 0 }
    switch condition {
    case .none: return byteCount
    case .notModified: return 0
    case .range(let range): return range.count
    }
  }

  /// The reason phrase of a status.
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
  /// Whether the rules ask for another fetch.
  let isRetried: Bool
  /// Whether an existing connection is reused.
  let isReused: Bool
  let port: Int
  let status: Int
  let byteCount: Int
  let isCompressed: Bool
  /// The times, in microseconds, for connecting, for getting the response's head or finding out that there
  /// will be none, and for getting the body.
  let connecting: Int, thinking: Int, receiving: Int
  /// Whether the client's transaction is finished, and logged, before this one.
  let endsLate: Bool

  /// The times before and after waiting for the backend, in microseconds.
  static let preparing = 30, processing = 45

  /// The time until the client's transaction continues, in microseconds.
  var headDuration: Int {
    fault == nil
      ? Self.preparing + connecting + thinking + Self.processing : Self.preparing + thinking + 2
  }
}
