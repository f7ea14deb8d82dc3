import VarnishLog

/// What lines need of a transaction's records: which tags to look at, and what to look for in them.
///
/// Made once for a tag numbering and the formats that share it, each of which is added; a walk over the
/// records then reads one byte for each. A value that several formats use, or one uses twice, is looked for
/// once.
package struct CapturePlan {
  /// The use of a record, by its tag.
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
    /// Whether the records are also looked for by name.
    var isWatched = false
    /// Whether the payload is taken without its final NULs.
    var isStripped = true

    /// Whether the records have any use.
    var isUsed: Bool { action != .none || isWatched }
  }

  /// A header that is looked for, and the slot for its value.
  struct HeaderWatch {
    /// In lower case, with its colon.
    let name: [UInt8]
    let slot: Int
    let rule: FormatItem.MatchRule?
    /// The formats that use the header.
    var formats: FormatSet
  }

  /// A key of `std.log` with its colon.
  struct KeyWatch {
    let key: [UInt8]
    let slot: Int
    var formats: FormatSet
  }

  /// A record of any tag.
  struct RecordWatch {
    let tag: UInt8
    /// In lower case, with a colon behind it; nil for the whole payload.
    let prefix: [UInt8]?
    let field: Int?
    let slot: Int
    var formats: FormatSet
  }

  /// The slots of values that are not looked for by name.
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
  private(set) var slotCount = Slot.firstNamed
  /// The headers from which the request line and the user are taken, if they are printed.
  private(set) var ownHeaders: [(watch: HeaderWatch, kind: HeaderTable.Kind)] = []
  /// The formats that use the URL or a part of it.
  private(set) var urlFormats = FormatSet()
  /// Whether any time other than that of the start is used.
  private(set) var takesOtherTimes = false
  /// The formats that were added.
  private(set) var formats = FormatSet()
  let rules: NCSARules
  private let isJSON: Bool
  private let tags: TagTable
  private var fieldBits: UInt32 = 0
  private let passesOverFlagged: Bool
  private let stripsFlagged: Bool
  private let flaggedTags: TagSet

  /// Makes a plan without formats.
  ///
  /// - Parameter isJSON: whether its formats use records of tags that may hold control characters.
  init(rules: NCSARules, isJSON: Bool, tags: TagTable) {
    var flagged = TagSet()
    for tag in Tag.allCases where tag.flag(in: rules.version) != nil {
      if let number = tags.number(of: tag) { flagged.insert(number) }
    }
    self.rules = rules
    self.isJSON = isJSON
    self.tags = tags
    flaggedTags = flagged
    // Under -j payloads of flagged tags are taken as they are, final NULs included.
    stripsFlagged = !isJSON
    passesOverFlagged = rules.skipsFlaggedTags && !isJSON
  }

  /// A plan of the same kind without formats.
  var empty: CapturePlan { CapturePlan(rules: rules, isJSON: isJSON, tags: tags) }

  /// Whether this plan can take the format of a plan made for it alone: the same records count for both.
  func canTake(formatOf other: CapturePlan) -> Bool {
    rules.version == other.rules.version && rules.isStrict == other.rules.isStrict
      && isJSON == other.isJSON && tags.numbering == other.tags.numbering && !formats.isFull
  }

  /// Adds what a format needs to the plan.
  ///
  /// - Returns: the format's bit, and for each piece of the format the slot of its value; nil for a piece
  ///   that needs no slot of its own.
  mutating func add(_ items: [FormatItem]) -> (format: FormatSet, slotOfItem: [Int?]) {
    let format = formats.addNext()
    var stated = (request: StatedRules(), response: StatedRules())
    let slots = items.map { addSlot(for: $0, of: format, &stated) }
    addActions(items, slots, format)
    return (format, slots)
  }

  /// The rules that a format has stated so far for headers of the same name.
  ///
  /// The rule of one piece also holds for later pieces of the same name that have no rule. That is a quirk of
  /// all releases that have rules.
  private struct StatedRules {
    private var rules: [[UInt8]: FormatItem.MatchRule] = [:]

    mutating func rule(for name: [UInt8], _ own: FormatItem.MatchRule?) -> FormatItem.MatchRule? {
      if let own { rules[name] = own }
      return rules[name]
    }
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

  private mutating func addSlot(
    for item: FormatItem, of format: FormatSet, _ stated: inout (request: StatedRules, response: StatedRules)
  ) -> Int? {
    switch item {
    case .field(let field): return field.rawValue
    case .query: return FormatItem.Field.queryString.rawValue
    case .protocolVersion: return FormatItem.Field.httpProtocol.rawValue
    case .host, .port: return Slot.host
    case .requestHeader(let name, let rule):
      let name = Self.headerName(name)
      return watch(name, stated.request.rule(for: name, rule), format, in: \.requestHeaders)
    case .responseHeader(let name, let rule):
      let name = Self.headerName(name)
      return watch(name, stated.response.rule(for: name, rule), format, in: \.responseHeaders)
    case .logKey(let key): return watch(key: key + [UInt8(ascii: ":")], format)
    case .record(let tag, let prefix, let field):
      return watch(tag, prefix: prefix.map(Self.headerName), field: field, format)
    case .clientPort: return watch(.reqStart, prefix: nil, field: 2, format)
    default: return nil
    }
  }

  private mutating func watch(
    _ name: [UInt8], _ rule: FormatItem.MatchRule?, _ format: FormatSet,
    in headers: WritableKeyPath<CapturePlan, [HeaderWatch]>
  ) -> Int {
    if let index = self[keyPath: headers].firstIndex(where: { $0.name == name && $0.rule == rule }) {
      self[keyPath: headers][index].formats.formUnion(format)
      return self[keyPath: headers][index].slot
    }
    let slot = newSlot()
    self[keyPath: headers].append(HeaderWatch(name: name, slot: slot, rule: rule, formats: format))
    return slot
  }

  private mutating func watch(key: [UInt8], _ format: FormatSet) -> Int {
    if let index = keys.firstIndex(where: { $0.key == key }) {
      keys[index].formats.formUnion(format)
      return keys[index].slot
    }
    let slot = newSlot()
    keys.append(KeyWatch(key: key, slot: slot, formats: format))
    return slot
  }

  private mutating func watch(_ tag: Tag, prefix: [UInt8]?, field: Int?, _ format: FormatSet) -> Int {
    // A tag that the log's numbering lacks never occurs.
    guard let number = tags.number(of: tag) else { return newSlot() }
    let found = records.firstIndex { $0.tag == number && $0.prefix == prefix && $0.field == field }
    if let found {
      records[found].formats.formUnion(format)
      return records[found].slot
    }
    let slot = newSlot()
    watchedTags.insert(number)
    records.append(RecordWatch(tag: number, prefix: prefix, field: field, slot: slot, formats: format))
    return slot
  }

  private static func headerName(_ name: [UInt8]) -> [UInt8] {
    name.map(ASCII.lowercased) + [UInt8(ascii: ":")]
  }

  private mutating func watchOwn(_ name: String, slot: Int, kind: HeaderTable.Kind, _ format: FormatSet) {
    if let index = ownHeaders.firstIndex(where: { $0.kind == kind }) {
      ownHeaders[index].watch.formats.formUnion(format)
    } else {
      ownHeaders.append(
        (HeaderWatch(name: Array(name.utf8), slot: slot, rule: nil, formats: format), kind))
    }
  }

  private mutating func addActions(_ items: [FormatItem], _ slotOfItem: [Int?], _ format: FormatSet) {
    let fields = items.compactMap { item -> FormatItem.Field? in
      if case .field(let field) = item { return field }
      return nil
    }
    for field in fields { fieldBits |= 1 << UInt32(field.rawValue) }
    if items.contains(where: \.needsEnd) || fields.contains(.firstByte) { takesOtherTimes = true }
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
    let url = fields.contains(.url) || query || line
    set(.reqURL, .bereqURL, .url, if: url)
    if url { urlFormats.formUnion(format) }
    let version = items.contains(.protocolVersion)
    set(
      .reqProtocol, .bereqProtocol, .httpProtocol,
      if: fields.contains(.httpProtocol) || version || line)
    let user = items.contains(.user)
    let host = slotOfItem.contains(Slot.host)
    if line || host { watchOwn("host:", slot: Slot.host, kind: .host, format) }
    if user { watchOwn("authorization:", slot: Slot.authorization, kind: .authorization, format) }
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
