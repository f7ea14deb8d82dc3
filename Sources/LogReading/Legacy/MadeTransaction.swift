import VarnishLog

/// A client's request that hasn't come to its end in the log yet.
final class OpenRequest {
  /// Its number, which is also that of its transaction.
  let xid: UInt32
  /// Where its first record begins in the log.
  let place: UInt64
  /// The session of its connection; nil if the connection's beginning isn't known.
  let session: OpenSession?
  /// Its records under today's tags, without `Begin` and `End`.
  var records = RecordBuffer()
  /// The offsets in `records` at which its parts begin: each restart begins another part.
  var parts: [Int] = [0]
  /// The offset in `records` at which what the client has sent ends; each later part begins with a copy of
  /// it.
  var headEnd: Int?
  /// The offsets of the links in `records`, and the fetches that they lead to.
  var links: [(offset: Int, fetch: OpenFetch?)] = []
  var fetches: [OpenFetch] = []
  /// How many fetches were announced.
  var fetchCount = 0
  var isPiped = false, isPassed = false
  /// Whether VCL has asked for a restart, and no VCL method was called since.
  var isRestarting = false
  var headers = MessageHeaders()
  /// How many bytes of body were sent, as it was logged.
  var bodyByteCount: String?
  /// Whether its records say all that later releases log, so that nothing need be made up.
  var isConverted = false
  /// Whether it is left out, even if more is logged of it.
  var isGivenUp = false
  /// The number of the request that this one restarts, if that has a number of its own.
  var restarted: UInt32?
  /// The number of the request that restarts this one, if that has a number of its own.
  var restart: UInt32?

  init(xid: UInt32, place: UInt64, session: OpenSession?) {
    self.xid = xid
    self.place = place
    self.session = session
  }

  /// How many bytes of memory it takes, with its links and without the records of its fetches.
  var heldByteCount: Int { records.byteCount + links.count * Self.linkByteCount }
  /// How many of these bytes `openByteCount` includes.
  var countedByteCount = 0
  /// About how many bytes a fetch takes without its records.
  private static let linkByteCount = 512

  /// The number of the transaction made of a part; the last part has the request's own.
  func vxid(ofPart part: Int) -> UInt64 {
    part == parts.count - 1 ? UInt64(xid) : MadeNumber.part(part, of: xid)
  }
}

/// A request to a backend.
final class OpenFetch {
  let vxid: UInt64
  let place: UInt64
  /// The client's request that it is for, as long as the request is open, and the part of the request.
  weak var request: OpenRequest?
  let part: Int
  /// The client's request's number; 0 if it isn't known.
  let parent: UInt32
  var reason: String
  /// The connection that it is on, once it has begun.
  var descriptor: UInt32?
  var records = RecordBuffer()
  var hasMethod = false
  var headers = MessageHeaders()
  var bodyByteCount: String?
  /// Whether its records say all that later releases log.
  var isConverted = false
  /// How many bytes of its records `openByteCount` includes.
  var countedByteCount = 0
  /// Where its last record ends.
  var endPlace: UInt64

  init(vxid: UInt64, place: UInt64, request: OpenRequest?, parent: UInt32, reason: String) {
    self.vxid = vxid
    self.place = place
    endPlace = place
    self.request = request
    part = (request?.parts.count ?? 1) - 1
    self.parent = parent
    self.reason = reason
  }
}

/// A client's connection.
final class OpenSession {
  let vxid: UInt64
  let place: UInt64
  /// Address and port of the client, the listener's name, and this end's address and port.
  let peer: String
  private(set) var requests: [UInt32] = []
  /// When it was accepted, in seconds since 1970.
  var accepted: String?
  var closeReason: String?

  init(vxid: UInt64, place: UInt64, peer: String) {
    self.vxid = vxid
    self.place = place
    self.peer = peer
  }

  /// The name of the listener that accepted it.
  var listener: String { peer.split(separator: " ").dropFirst(2).first.map(String.init) ?? "a0" }

  /// Notes a request that came through it, up to a number that no client reaches.
  func note(_ xid: UInt32) {
    if requests.count < 1 << 16 { requests.append(xid) }
  }
}

/// What is known of a descriptor.
final class OpenConnection {
  var session: OpenSession?
  var request: OpenRequest?
  var fetch: OpenFetch?
  /// The fetch that was announced for it, by the record of a client's connection.
  var announced: OpenFetch?
  /// Which backend it leads to, and from where to where: name, remote and local address and port.
  var backend: String?
  var isReused = false
}

/// Numbers for transactions that have none in an old log: higher than all that the log has, and the same
/// whenever it is read.
enum MadeNumber {
  private static let kindShift: UInt64 = 48

  /// A part of a request that was restarted, of which up to 65535 are told apart.
  static func part(_ part: Int, of xid: UInt32) -> UInt64 {
    1 << kindShift | (UInt64(truncatingIfNeeded: part + 1) & 0xFFFF) << 32 | UInt64(xid)
  }

  static func fetch(_ number: Int, of xid: UInt32) -> UInt64 {
    2 << kindShift | (UInt64(truncatingIfNeeded: number) & 0xFFFF) << 32 | UInt64(xid)
  }

  /// A session or fetch that only its place in the log identifies.
  static func session(at place: UInt64) -> UInt64 { 4 << kindShift | place & (1 << kindShift - 1) }
  static func strayFetch(at place: UInt64) -> UInt64 { 6 << kindShift | place & (1 << kindShift - 1) }
}

/// How many bytes the head of a message had, going by what was logged of it.
struct HeaderBytes {
  private var count = 0

  /// Takes in a word of the first line, with the blank or the line's end behind it.
  mutating func add(word: LogBytes) { count += word.count + 1 }
  /// Takes in a header.
  mutating func add(header: LogBytes) { count += header.count + 2 }

  /// The size of the head with the ends of the first line and of all; 0 if nothing was logged.
  var total: Int { count == 0 ? 0 : count + 3 }
}

/// How many bytes the heads of both messages on a connection had.
struct MessageHeaders {
  private(set) var received = HeaderBytes(), sent = HeaderBytes()

  /// Takes in a part of a head; nothing if a record has none.
  mutating func add(_ payload: LogBytes, _ part: OldTagRoles.Part) {
    switch part {
    case .rxWord: received.add(word: payload)
    case .rxHeader: received.add(header: payload)
    case .txWord: sent.add(word: payload)
    case .txHeader: sent.add(header: payload)
    case .none: break
    }
  }
}

/// Times of old logs, which have nine digits behind the point.
enum OldTime {
  /// A number of seconds in nanoseconds; nil if it isn't one, such as `nan`.
  static func nanoseconds(_ text: LogBytes) -> Int64? {
    guard (1...24).contains(text.count) else { return nil }
    var number: Int64 = 0
    var decimals: Int?
    for index in 0..<text.count {
      let byte = text[index]
      if byte == UInt8(ascii: "."), decimals == nil {
        decimals = 0
        continue
      }
      guard ASCII.isDigit(byte) else { return nil }
      if let known = decimals {
        if known == 9 { continue }
        decimals = known + 1
      }
      let (product, overflows) = number.multipliedReportingOverflow(by: 10)
      guard !overflows, product < Int64.max - 9 else { return nil }
      number = product + Int64(byte - 0x30)
    }
    for _ in (decimals ?? 0)..<9 {
      let (product, overflows) = number.multipliedReportingOverflow(by: 10)
      guard !overflows else { return nil }
      number = product
    }
    return number
  }

  /// A number of nanoseconds as seconds, in text.
  static func text(_ nanoseconds: Int64) -> String {
    let digits = String(nanoseconds.magnitude % 1_000_000_000)
    let fraction = String(repeating: "0", count: 9 - digits.count) + digits
    return "\(nanoseconds < 0 ? "-" : "")\(nanoseconds.magnitude / 1_000_000_000).\(fraction)"
  }
}
