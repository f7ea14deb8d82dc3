import VarnishLog

/// Makes transactions, as later generations have them, of the records of 2.0 to 3.0 (`vsl-tags.md` 8.1).
///
/// A request's transaction comes out when it has ended, in one piece, behind those of its fetches; a connection's when
/// it is closed. What has no place in a transaction is left out.
struct TransactionMaker: ~Copyable {
  let roles: OldTagRoles
  let tags: Numbers
  let keptTags: TagTable
  var sides: ConnectionSides
  var connections: [UInt32: OpenConnection] = [:]
  var requests: [UInt32: OpenRequest] = [:]
  /// How many bytes are kept of what is open.
  var openByteCount = 0
  /// How many transactions were left out because they are too large to be kept, or a part of them is missing.
  var givenUpCount = 0

  /// The transactions that were made and aren't taken yet.
  var made = RecordBuffer()
  var pieces: [Piece] = []
  var takenCount = 0

  /// A transaction that was made, and where the records that it was made of lie.
  struct Piece {
    var start: Int, end: Int
    var place: UInt64, endPlace: UInt64
    var shape: RecordRun<WideRecords>.Shape
  }

  /// The numbering that transactions have.
  static var numbering: TagNumbering { .v73 }

  /// The numbers of today's tags.
  struct Numbers {
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

  /// The most bytes that one transaction, and all open ones together, may keep.
  static var byteCountMax: Int { 8 << 20 }
  static var openByteCountMax: Int { 256 << 20 }

  /// How many fetches one request may have; there are a few dozen at most.
  static var fetchCountMax: Int { 4096 }

  init(_ numbering: TagNumbering) {
    let target = TagTable(Self.numbering)
    roles = OldTagRoles(numbering, target: target)
    tags = Numbers(target)
    keptTags = target
    sides = ConnectionSides(numbering)
  }

  /// Where the oldest record of a request that is still open begins; nil if none is.
  var openPlace: UInt64? { requests.values.lazy.map(\.place).min() }

  /// Forgets all that is open, as the records that would have completed it are lost.
  mutating func forget() {
    connections = [:]
    requests = [:]
    openByteCount = 0
  }

  /// Forgets all, the sides of connections as well, as part of the log is missing.
  mutating func beginAnew(_ numbering: TagNumbering) {
    let count = givenUpCount
    self = TransactionMaker(numbering)
    givenUpCount = count
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

  /// Notes what a record tells of its connection's side, and nothing else.
  mutating func passOver(_ record: LegacyRecord) {
    _ = sides.side(ofTag: record.tag, descriptor: record.descriptor)
  }

  mutating func connection(_ descriptor: UInt32) -> OpenConnection {
    if let known = connections[descriptor] { return known }
    let new = OpenConnection()
    connections[descriptor] = new
    return new
  }

  // MARK: What is kept

  /// Counts what was added to a request.
  mutating func recount(_ request: OpenRequest) {
    openByteCount += request.heldByteCount - request.countedByteCount
    request.countedByteCount = request.heldByteCount
  }

  /// Counts what was added to a fetch.
  mutating func recount(_ fetch: OpenFetch) {
    openByteCount += fetch.records.byteCount - fetch.countedByteCount
    fetch.countedByteCount = fetch.records.byteCount
  }

  /// Counts a request no longer.
  mutating func release(_ request: OpenRequest) {
    openByteCount -= request.countedByteCount
    request.countedByteCount = 0
  }

  /// Counts a fetch no longer.
  mutating func release(_ fetch: OpenFetch) {
    openByteCount -= fetch.countedByteCount
    fetch.countedByteCount = 0
  }

  /// Leaves a request out.
  mutating func giveUp(_ request: OpenRequest) {
    guard !request.isGivenUp else { return }
    request.isGivenUp = true
    givenUpCount += 1
    if requests[request.xid] === request { requests[request.xid] = nil }
    release(request)
    for fetch in request.fetches {
      release(fetch)
      // Later records of the fetch belong to nothing.
      if let connection = fetch.descriptor.flatMap({ connections[$0] }), connection.fetch === fetch {
        connection.fetch = nil
      }
    }
  }
}
