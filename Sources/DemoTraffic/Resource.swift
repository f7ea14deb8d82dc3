/// Something that can be asked for.
struct Resource {
  /// What the cache is told to do with a request for it.
  enum Handling: Equatable {
    case cache
    case pass
    case pipe
    /// Answered by the cache itself, perhaps with another place to go to.
    case synth(status: Int, location: String?)
    /// The first answer isn't good enough: asked again, of another backend.
    case restart
  }

  let host: String
  var url: String
  let type: ContentType
  var handling = Handling.cache
  let backend: Backend
  var method = "GET"
  /// What the backend answers.
  var status = 200
  var byteCount: Int
  /// What is included.
  var fragments: [Resource] = []

  /// What the cache knows it by.
  var key: String { host + url }

  /// What a number says that comes with it, the same for everything of that name.
  ///
  /// FNV-1a: Swift's own hash differs from run to run.
  var fingerprint: UInt64 {
    key.utf8.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
  }
}

/// What kind of thing it is, and what a browser says when it wants one.
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
  /// What goes wrong with a fetch, if anything does.
  static func draw(_ backend: Backend, requests: Int, _ random: inout SeededRandom) -> FetchFault? {
    if backend.isSick(after: requests) { return .sick }
    guard random.chance(backend.name == "tips" ? 12 : 1) else { return nil }
    return random.pick([.refused, .firstByteTimeout, .closed])
  }
}
