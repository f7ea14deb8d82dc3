/// A resource that clients request.
struct Resource {
  /// How the rules handle a request for the resource.
  enum Handling: Equatable {
    case cache
    case pass
    case pipe
    /// The cache itself responds, perhaps with a redirect.
    case synth(status: Int, location: String?)
    /// The first response isn't good enough, and the request is restarted with another backend.
    case restart
  }

  let host: String
  var url: String
  let type: ContentType
  var handling = Handling.cache
  let backend: Backend
  var method = "GET"
  /// The status of the backend's response.
  var status = 200
  var byteCount: Int
  /// The fragments that the response includes.
  var fragments: [Resource] = []

  /// The resource's key in the cache.
  var key: String { host + url }

  /// A number derived from the key, from which properties such as the size follow; the same in every run.
  ///
  /// FNV-1a: Swift's own hash differs from run to run.
  var fingerprint: UInt64 {
    key.utf8.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
  }
}

/// A media type, and the value of `Accept` with which a browser requests it.
struct ContentType {
  let name: String
  let accept: String
  let isCompressible: Bool

  static let page = ContentType(
    name: "text/html; charset=utf-8",
    accept: "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", isCompressible: true)
  static let style = ContentType(name: "text/css", accept: "text/css,*/*;q=0.1", isCompressible: true)
  static let script = ContentType(name: "text/javascript", accept: "*/*", isCompressible: true)
  static let image = ContentType(
    name: "image/avif", accept: "image/avif,image/webp,image/*,*/*;q=0.8", isCompressible: false)
  static let font = ContentType(name: "font/woff2", accept: "*/*", isCompressible: false)
  static let video = ContentType(name: "video/mp4", accept: "*/*", isCompressible: false)
  static let data = ContentType(
    name: "application/json", accept: "application/json, text/plain, */*", isCompressible: true)
}

extension FetchFault {
  /// Draws the fault of a fetch; nil if it succeeds.
  static func draw(_ backend: Backend, requests: Int, _ random: inout SeededRandom) -> FetchFault? {
    if backend.isSick(after: requests) { return .sick }
    guard random.chance(backend.name == "tips" ? 12 : 1) else { return nil }
    return random.pick([.refused, .firstByteTimeout, .closed])
  }
}
