import VarnishLog

/// What a record of 2.0 to 3.0 says of a transaction, and which of today's tags says the same.
///
/// Today's tag may depend on the side of the connection.
struct OldTagRoles {
  enum Role: UInt8 {
    case none
    /// The record is copied into the transaction under today's tag, if there is one.
    case copied
    case sessionOpen, sessionClose, sessionEnd
    case requestStart, requestEnd
    case backendOpen, backendXID, backendEnd
    /// The method of a request to a backend, which begins a fetch if no `BackendXID` has.
    case fetchStart
    case backendLink
    case length
    case call, `return`
    case timeToLive
  }

  private let roles: [Role]
  private let client: [UInt8]
  private let backend: [UInt8]
  private let parts: [Part]
  private let reuse: UInt8?
  private let debug: UInt8?

  /// The part of a message's head that a record has.
  enum Part: UInt8 {
    case none
    case rxWord, rxHeader, txWord, txHeader
  }

  init(_ numbering: TagNumbering, target: TagTable) {
    let table = TagTable(numbering)
    var roles = [Role](repeating: .none, count: 256)
    var client = [UInt8](repeating: 0, count: 256)
    var backend = [UInt8](repeating: 0, count: 256)
    func set(_ tag: Tag, _ role: Role, client clientTag: Tag? = nil, backend backendTag: Tag? = nil) {
      guard let number = table.number(of: tag) else { return }
      roles[Int(number)] = role
      client[Int(number)] = clientTag.flatMap(target.number) ?? 0
      backend[Int(number)] = backendTag.flatMap(target.number) ?? 0
    }
    set(.sessionOpen, .sessionOpen)
    set(.sessionClose, .sessionClose)
    set(.statSess, .sessionEnd)
    set(.reqStart, .requestStart)
    set(.reqEnd, .requestEnd)
    set(.backendOpen, .backendOpen)
    set(.backendXID, .backendXID)
    set(.backendReuse, .backendEnd)
    set(.backendClose, .backendEnd)
    set(.backend, .backendLink)
    set(.length, .length, backend: .length)
    set(.vclCall, .call, client: .vclCall, backend: .vclCall)
    set(.vclReturn, .return, client: .vclReturn, backend: .vclReturn)
    set(.ttl, .timeToLive, client: .ttl, backend: .ttl)
    set(.rxRequest, .copied, client: .reqMethod)
    set(.rxURL, .copied, client: .reqURL)
    set(.rxProtocol, .copied, client: .reqProtocol, backend: .berespProtocol)
    set(.rxStatus, .copied, backend: .berespStatus)
    set(.rxResponse, .copied, backend: .berespReason)
    set(.rxHeader, .copied, client: .reqHeader, backend: .berespHeader)
    set(.txRequest, .fetchStart, backend: .bereqMethod)
    set(.txURL, .copied, backend: .bereqURL)
    set(.txProtocol, .copied, client: .respProtocol, backend: .bereqProtocol)
    set(.txStatus, .copied, client: .respStatus)
    set(.txResponse, .copied, client: .respReason)
    set(.txHeader, .copied, client: .respHeader, backend: .bereqHeader)
    set(.objRequest, .copied, client: .objMethod, backend: .objMethod)
    set(.objResponse, .copied, client: .objReason, backend: .objReason)
    set(.vclErrorOld, .copied, client: .vclError, backend: .vclError)
    set(.httpError, .copied, client: .error, backend: .error)
    let same: [Tag] = [
      .debug, .error, .httpGarbage, .fetchError, .objURL, .objProtocol, .objStatus, .objHeader, .lostHeader,
      .fetchBody, .vclACL, .vclTrace, .hit, .hitPass, .esiXMLError, .hash, .vclLog, .gzip,
    ]
    for tag in same { set(tag, .copied, client: tag, backend: tag) }
    var parts = [Part](repeating: .none, count: 256)
    func setPart(_ tags: [Tag], _ part: Part) {
      for number in tags.compactMap(table.number) { parts[Int(number)] = part }
    }
    setPart([.rxRequest, .rxURL, .rxProtocol, .rxStatus, .rxResponse], .rxWord)
    setPart([.rxHeader], .rxHeader)
    setPart([.txRequest, .txURL, .txProtocol, .txStatus, .txResponse], .txWord)
    setPart([.txHeader], .txHeader)
    self.parts = parts
    reuse = table.number(of: .backendReuse)
    debug = table.number(of: .debug)
    self.roles = roles
    self.client = client
    self.backend = backend
  }

  subscript(tag: UInt8) -> Role { roles[Int(tag)] }

  /// The part of a message's head that a record of a tag has.
  func part(_ tag: UInt8) -> Part { parts[Int(tag)] }

  /// Whether a tag is `Debug`.
  func isDebug(_ tag: UInt8) -> Bool { tag == debug }

  /// Whether a tag says that a backend's connection is kept for another request.
  func isReuse(_ tag: UInt8) -> Bool { tag == reuse }

  /// The number of today's tag for records of an old tag on a side; nil if there is none.
  func target(_ tag: UInt8, _ side: Side) -> UInt8? {
    let number = side == .backend ? backend[Int(tag)] : client[Int(tag)]
    return number == 0 ? nil : number
  }
}
