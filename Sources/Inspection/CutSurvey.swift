import VarnishLog

/// Which records may have been cut, and how long they would have been.
///
/// A server cuts each record behind `vsl_reclen` bytes, a NUL included, and doesn't say so. What is as long as the longest
/// record there is, and no shorter than the parameter is by default, may have been cut. How much is missing is told by
/// what servers since 4.0 count of each message (ReqAcct, BereqAcct), if what is recorded of those that aren't cut comes
/// to just what they count.
struct CutSurvey {
  /// What is known of the records of one tag that are as long as any.
  struct Tally {
    /// How many there are that may have been cut.
    var records = 0
    /// How many of them just are as long as that: all of their message is there.
    fileprivate(set) var whole = 0
    /// Those of which it is known how long they were, and how long the longest was.
    fileprivate(set) var exact = 0, exactBytes = 0
    /// Those that were cut with others of the same message, and what would have been enough for any of them.
    fileprivate(set) var bounded = 0, boundedBytes = 0

    /// What would have held those of which anything is known; nil if there are none.
    var enough: Int? { exact + bounded > 0 ? max(exactBytes, boundedBytes) : nil }
    /// Whether a byte less wouldn't have.
    var isExact: Bool { exactBytes >= boundedBytes }
    /// Of how many it isn't known.
    var unknown: Int { records - exact - bounded }
  }

  /// The messages of which the bytes are counted.
  private enum Message: Int, CaseIterable {
    case request, response, backendRequest, backendResponse
  }

  /// What `vsl_reclen` is by default.
  static let usualLimit = 255

  /// How long the longest record is, or could have been by default.
  private(set) var limit: Int
  private let table: TagTable
  private var counts = [Int](repeating: 0, count: 256)
  private var found = [[UInt8: Tally]](repeating: [:], count: Message.allCases.count)
  /// How often a message without a cut came to what was counted, and how often it didn't.
  private var matches = [Int](repeating: 0, count: Message.allCases.count)
  private var mismatches = [Int](repeating: 0, count: Message.allCases.count)
  private var accounts = [ByteAccount](repeating: ByteAccount(), count: Message.allCases.count)
  /// The transaction that is looked at, and whether it speaks HTTP/1.
  private var vxid: UInt64?, isPlain = [false, false]

  /// - Parameter isOld: whether the records are made of those of a log of 2.0 to 3.0, where no NUL counts.
  init(_ table: TagTable, isOld: Bool) {
    self.table = table
    limit = Self.usualLimit + (isOld ? 1 : 0)
  }

  // MARK: Records

  /// Takes the next record.
  mutating func note<Layout: RecordLayout>(_ record: Record<Layout>, _ tag: Tag?) {
    let payload = record.payload
    if payload.count > limit {
      limit = payload.count
      counts = [Int](repeating: 0, count: 256)
      for index in found.indices { found[index] = [:] }
    }
    if payload.count == limit { counts[Int(record.tag)] += 1 }
    guard let tag else { return }
    if tag == .begin {
      vxid = record.vxid
      isPlain = [false, false]
      for index in accounts.indices { accounts[index] = ByteAccount() }
    } else if record.vxid != vxid {
      return
    }
    let text = payload.droppingFinalNULs
    let line = CutRecord(
      tag: record.tag, byteCount: payload.count, text: text, mayBeCut: payload.count == limit)
    take(tag, line, text)
  }

  private mutating func take(_ tag: Tag, _ line: CutRecord, _ text: LogBytes) {
    func with(_ message: Message, _ body: (inout ByteAccount) -> Void) { body(&accounts[message.rawValue]) }
    switch tag {
    case .reqMethod: with(.request) { $0.setWord(0, line) }
    case .reqURL: with(.request) { $0.setWord(1, line) }
    case .reqProtocol:
      if !accounts[Message.request.rawValue].isClosed { isPlain[0] = text.hasPrefix(lowercased: "http/1") }
      with(.request) { $0.setWord(2, line) }
    case .reqHeader: with(.request) { $0.add(line, isAdded: text.hasPrefix(lowercased: "x-forwarded-for:")) }
    case .respProtocol: with(.response) { $0.setWord(0, line) }
    case .respStatus: with(.response) { $0.setWord(1, line) }
    case .respReason: with(.response) { $0.setWord(2, line) }
    case .respHeader: with(.response) { $0.add(line) }
    case .respUnset: with(.response) { [tag = table.number(of: .respHeader)] in $0.remove(line, tag: tag) }
    case .bereqMethod: with(.backendRequest) { $0.setWord(0, line) }
    case .bereqURL: with(.backendRequest) { $0.setWord(1, line) }
    case .bereqProtocol:
      isPlain[1] = text.hasPrefix(lowercased: "http/1")
      with(.backendRequest) { $0.setWord(2, line) }
    case .bereqHeader: with(.backendRequest) { $0.add(line) }
    case .bereqUnset:
      with(.backendRequest) { [tag = table.number(of: .bereqHeader)] in $0.remove(line, tag: tag) }
    case .berespProtocol: with(.backendResponse) { $0.setWord(0, line) }
    case .berespStatus: with(.backendResponse) { $0.setWord(1, line) }
    case .berespReason: with(.backendResponse) { $0.setWord(2, line) }
    case .berespHeader: with(.backendResponse) { $0.add(line) }
    case .ttl: with(.backendResponse) { $0.close() }
    case .vclCall:
      with(.request) { $0.close() }
      if accounts[Message.backendResponse.rawValue].byteCount != nil { with(.backendResponse) { $0.close() } }
    case .timestamp where text.hasPrefix(lowercased: "bereq:"): with(.backendRequest) { $0.close() }
    case .reqAcct where isPlain[0]:
      settle(.request, text.field(1))
      settle(.response, text.field(4))
    case .bereqAcct where isPlain[1]:
      settle(.backendRequest, text.field(1))
      settle(.backendResponse, text.field(4))
    default: return
    }
  }

  // MARK: Accounts

  /// Compares a message with what the server has counted.
  private mutating func settle(_ message: Message, _ field: LogBytes?) {
    let account = accounts[message.rawValue]
    guard let counted = field.flatMap({ Int($0.text) }), counted > 0, counted < 1 << 40,
      let recorded = account.byteCount
    else { return }
    let cuts = account.cuts.filter { $0.byteCount == limit }
    let missing = counted - recorded
    guard !cuts.isEmpty else {
      if missing == 0 { matches[message.rawValue] += 1 } else { mismatches[message.rawValue] += 1 }
      return
    }
    guard missing >= 0 else { return }
    for cut in cuts {
      var tally = found[message.rawValue][cut.tag] ?? Tally()
      if missing == 0 {
        tally.whole += 1
      } else if cuts.count == 1 {
        tally.exact += 1
        tally.exactBytes = max(tally.exactBytes, limit + missing)
      } else {
        tally.bounded += 1
        tally.boundedBytes = max(tally.boundedBytes, limit + missing)
      }
      found[message.rawValue][cut.tag] = tally
    }
  }

  /// By tag, what may have been cut.
  var tallies: [UInt8: Tally] {
    var tallies: [UInt8: Tally] = [:]
    for number in RecordHeader.tagNumbers where counts[Int(number)] > 0 {
      var tally = Tally()
      for message in Message.allCases {
        // One in fifty may be odd: servers answer what they can't read, too.
        let (same, other) = (matches[message.rawValue], mismatches[message.rawValue])
        guard same > 0, other * 50 <= same, let known = found[message.rawValue][number] else { continue }
        tally = known
      }
      tally.records = counts[Int(number)] - tally.whole
      // What is counted by number may belong to several transactions that were mixed; then nothing is known.
      if tally.unknown < 0 { tally = Tally(records: counts[Int(number)]) }
      if tally.records > 0 { tallies[number] = tally }
    }
    return tallies
  }
}
