import VarnishLog

/// What a line needs of a transaction's records: which tags to look at, and what to look for in them.
///
/// Made once for a format and a tag numbering; a walk over the records then asks one byte for each.
struct CapturePlan {
  /// What a record of a tag is good for.
  enum Action: UInt8 {
    case none
    case clientAddress
    case backendAddress
    case backendStartAddress
    case method
    case url
    case httpProtocol
    case requestHeader
    case requestUnset
    case status
    case responseHeader
    case responseUnset
    case requestAccount
    case pipeAccount
    case timestamp
    case call
    case `return`
    case hitMiss
    case hitPass
    case logKey
    case garbage
  }

  /// What to do with records of one tag.
  struct Entry {
    var action = Action.none
    /// Whether they are also looked for by name.
    var isWatched = false
    /// Whether their payload is taken without its final NULs.
    var isStripped = true

    /// Whether there is anything to do at all.
    var isUsed: Bool { action != .none || isWatched }
  }

  /// A header that is looked for, and where its value goes.
  struct HeaderWatch {
    /// In lower case, with its colon.
    let name: [UInt8]
    let slot: Int
    let rule: FormatItem.MatchRule?
  }

  /// A key of `std.log` with its colon.
  struct KeyWatch {
    let key: [UInt8]
    let slot: Int
  }

  /// A record of any tag.
  struct RecordWatch {
    let tag: UInt8
    /// In lower case, with a colon behind it; nil if the whole payload is meant.
    let prefix: [UInt8]?
    let field: Int?
    let slot: Int
  }

  /// The places of values that are not looked for by name.
  enum Slot {
    /// `Field.rawValue` numbers the first ones.
    static let start = FormatItem.Field.allCases.count
    static let end = start + 1
    static let host = start + 2
    static let authorization = start + 3
    static let firstNamed = start + 4
  }

  private(set) var clientActions = [Action](repeating: .none, count: 256)
  private(set) var backendActions = [Action](repeating: .none, count: 256)
  private(set) var watchedTags = TagSet()
  private(set) var requestHeaders: [HeaderWatch] = []
  private(set) var responseHeaders: [HeaderWatch] = []
  private(set) var keys: [KeyWatch] = []
  private(set) var records: [RecordWatch] = []
  /// For each piece of the format, the slot it takes its value from; nil if it needs none of its own.
  private(set) var slotOfItem: [Int?] = []
  private(set) var slotCount = Slot.firstNamed
  /// The headers that the request line and the user come from, if they are printed.
  private(set) var ownHeaders: [(watch: HeaderWatch, kind: HeaderTable.Kind)] = []
  /// Whether the time at the end of a transaction matters.
  private(set) var takesEnd = false
  /// Whether any time but that of the start matters.
  private(set) var takesOtherTimes = false
  private var fieldBits: UInt32 = 0
  private let passesOverFlagged: Bool
  private let stripsFlagged: Bool
  private let flaggedTags: TagSet

  init(_ items: [FormatItem], rules: NCSARules, isJSON: Bool, tags: TagTable) {
    var flagged = TagSet()
    for tag in Tag.allCases where tag.flag(in: rules.version) != nil {
      if let number = tags.number(of: tag) { flagged.insert(number) }
    }
    flaggedTags = flagged
    // Under -j payloads of flagged tags are taken as they are, final NULs included.
    stripsFlagged = !isJSON
    passesOverFlagged = rules.skipsFlaggedTags && !isJSON
    for item in items { slotOfItem.append(addSlot(for: item, tags: tags)) }
    addActions(items, rules: rules, tags: tags)
  }

  /// What to do with records of a tag.
  func entry(_ tag: UInt8, isBackend: Bool) -> Entry {
    if passesOverFlagged, flaggedTags.contains(tag) { return Entry() }
    var entry = Entry()
    entry.action = isBackend ? backendActions[Int(tag)] : clientActions[Int(tag)]
    entry.isWatched = watchedTags.contains(tag)
    entry.isStripped = stripsFlagged || !flaggedTags.contains(tag)
    return entry
  }

  /// Whether one of the values without a name is printed.
  @inline(__always)
  func takes(_ field: FormatItem.Field) -> Bool { fieldBits >> UInt32(field.rawValue) & 1 != 0 }

  private mutating func newSlot() -> Int {
    slotCount += 1
    return slotCount - 1
  }

  private mutating func addSlot(for item: FormatItem, tags: TagTable) -> Int? {
    switch item {
    case .field(let field): return field.rawValue
    case .query: return FormatItem.Field.queryString.rawValue
    case .protocolVersion: return FormatItem.Field.httpProtocol.rawValue
    case .host, .port: return Slot.host
    case .requestHeader(let name, let rule):
      let slot = newSlot()
      requestHeaders.append(HeaderWatch(name: Self.headerName(name), slot: slot, rule: rule))
      return slot
    case .responseHeader(let name, let rule):
      let slot = newSlot()
      responseHeaders.append(HeaderWatch(name: Self.headerName(name), slot: slot, rule: rule))
      return slot
    case .logKey(let key):
      let slot = newSlot()
      keys.append(KeyWatch(key: key + [UInt8(ascii: ":")], slot: slot))
      return slot
    case .record(let tag, let prefix, let field):
      return watch(tag, prefix: prefix, field: field, tags: tags)
    case .clientPort: return watch(.reqStart, prefix: nil, field: 2, tags: tags)
    default: return nil
    }
  }

  private mutating func watch(_ tag: Tag, prefix: [UInt8]?, field: Int?, tags: TagTable) -> Int {
    let slot = newSlot()
    // A tag that the log's numbering lacks is simply never met.
    guard let number = tags.number(of: tag) else { return slot }
    watchedTags.insert(number)
    records.append(RecordWatch(tag: number, prefix: prefix.map(Self.headerName), field: field, slot: slot))
    return slot
  }

  private static func headerName(_ name: [UInt8]) -> [UInt8] {
    name.map(ASCII.lowercased) + [UInt8(ascii: ":")]
  }

  private mutating func watchOwn(_ name: String, slot: Int, kind: HeaderTable.Kind) {
    ownHeaders.append((HeaderWatch(name: Array(name.utf8), slot: slot, rule: nil), kind))
  }

  private mutating func addActions(_ items: [FormatItem], rules: NCSARules, tags: TagTable) {
    let fields = items.compactMap { item -> FormatItem.Field? in
      if case .field(let field) = item { return field }
      return nil
    }
    for field in fields { fieldBits |= 1 << UInt32(field.rawValue) }
    takesEnd = items.contains {
      if case .duration = $0 { return true }
      return false
    }
    takesOtherTimes = takesEnd || fields.contains(.firstByte)
    let line = items.contains(.requestLine)
    let path = items.contains(.handling) || items.contains(.hitMiss)
    let times = items.contains(where: \.needsStart) || fields.contains(.firstByte)
    let bytes = !Set(fields).isDisjoint(with: [.bytesReceived, .bodyBytesSent, .bytesSent])

    /// A tag of one side also counts on the other where the release mixes them.
    func set(_ client: Tag?, _ backend: Tag?, _ action: Action, if isNeeded: Bool) {
      guard isNeeded else { return }
      if let number = client.flatMap(tags.number) {
        clientActions[Int(number)] = action
        if rules.mixesSides { backendActions[Int(number)] = action }
      }
      if let number = backend.flatMap(tags.number) {
        backendActions[Int(number)] = action
        if rules.mixesSides { clientActions[Int(number)] = action }
      }
    }
    let address = fields.contains(.remoteAddress)
    set(.reqStart, nil, .clientAddress, if: address)
    set(nil, .backendOpen, .backendAddress, if: address && rules.hasAddressInBackendOpen)
    set(nil, .backendStart, .backendStartAddress, if: address && !rules.hasAddressInBackendOpen)
    set(.reqMethod, .bereqMethod, .method, if: fields.contains(.method) || line)
    let query = items.contains(.query) || fields.contains(.queryString)
    set(.reqURL, .bereqURL, .url, if: fields.contains(.url) || query || line)
    let version = items.contains(.protocolVersion)
    set(
      .reqProtocol, .bereqProtocol, .httpProtocol,
      if: fields.contains(.httpProtocol) || version || line)
    let user = items.contains(.user)
    let host = slotOfItem.contains(Slot.host)
    if line || host { watchOwn("host:", slot: Slot.host, kind: .host) }
    if user { watchOwn("authorization:", slot: Slot.authorization, kind: .authorization) }
    let requestHeaders = !requestHeaders.isEmpty || !ownHeaders.isEmpty
    set(.reqHeader, .bereqHeader, .requestHeader, if: requestHeaders)
    set(
      .reqUnset, .bereqUnset, .requestUnset,
      if: !self.requestHeaders.isEmpty && rules.followsPhases)
    set(.respStatus, .berespStatus, .status, if: fields.contains(.status))
    set(.respHeader, .berespHeader, .responseHeader, if: !responseHeaders.isEmpty)
    set(
      .respUnset, .berespUnset, .responseUnset,
      if: !responseHeaders.isEmpty && rules.followsPhases)
    set(.reqAcct, .bereqAcct, .requestAccount, if: bytes)
    set(.pipeAcct, nil, .pipeAccount, if: bytes)
    set(.timestamp, .timestamp, .timestamp, if: times)
    set(.vclCall, .vclCall, .call, if: path || rules.followsPhases)
    set(.vclReturn, .vclReturn, .return, if: true)
    set(.hitMiss, .hitMiss, .hitMiss, if: path && rules.seesHitMiss)
    set(.hitPass, .hitPass, .hitPass, if: path && rules.seesHitMiss)
    set(.vclLog, .vclLog, .logKey, if: !keys.isEmpty)
    set(.httpGarbage, .httpGarbage, .garbage, if: true)
  }
}
