import VarnishLog

/// Which records may have been cut, and how long they would have been.
///
/// A server cuts each record behind `vsl_reclen` bytes, a NUL included, and doesn't say so. A record that is
/// as long as the longest one, and no shorter than the parameter is by default, may have been cut. How much
/// is missing follows from the bytes that servers since 4.0 count of each message (ReqAcct, BereqAcct), if
/// the recorded bytes of messages without a cut come to exactly that number.
struct CutSurvey {
  /// What is known of the records of one tag that are as long as the longest one.
  struct Tally {
    /// How many records may have been cut.
    var records = 0
    /// How many records are as long as the longest one without being cut: all of their message is there.
    fileprivate(set) var whole = 0
    /// How many records have a known length, and the length of the longest of these.
    fileprivate(set) var exact = 0, exactBytes = 0
    /// How many records were cut together with others of the same message, and a length that would have been
    /// enough for any of these.
    fileprivate(set) var bounded = 0, boundedBytes = 0

    /// A length that would have held all records of which anything is known; nil if there are none.
    var enough: Int? { exact + bounded > 0 ? max(exactBytes, boundedBytes) : nil }
    /// Whether a byte less than `enough` wouldn't have held them all.
    var isExact: Bool { exactBytes >= boundedBytes }
    /// How many records have an unknown length.
    var unknown: Int { records - exact - bounded }
  }

  /// The messages whose bytes the server counts.
  private enum Message: Int, CaseIterable {
    case request, response, backendRequest, backendResponse
  }

  /// The default of `vsl_reclen`.
  static let usualLimit = 255

  /// How long the longest record is, or could have been by default.
  private(set) var limit: Int
  private let table: TagTable
  private var counts = [Int](repeating: 0, count: 256)
  private var found = [[UInt8: Tally]](repeating: [:], count: Message.allCases.count)
  /// How often the bytes of a message without a cut came to the server's count, and how often they didn't.
  private var matches = [Int](repeating: 0, count: Message.allCases.count)
  private var mismatches = [Int](repeating: 0, count: Message.allCases.count)
  private var accounts = [ByteAccount](repeating: ByteAccount(), count: Message.allCases.count)
  /// The transaction that is looked at, and whether it speaks HTTP/1.
  private var vxid: UInt64?, isPlain = [false, false]

  /// - Parameter isOld: whether the records were made of a log of 2.0 to 3.0, where the parameter doesn't
  ///   count the NUL.
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

  /// The records that may have been cut, by tag.
  var tallies: [UInt8: Tally] {
    var tallies: [UInt8: Tally] = [:]
    for number in RecordHeader.tagNumbers where counts[Int(number)] > 0 {
      var tally = Tally()
      for message in Message.allCases {
        // One message in fifty may not match: servers also answer requests that they can't read.
        let (same, other) = (matches[message.rawValue], mismatches[message.rawValue])
        guard same > 0, other * 50 <= same, let known = found[message.rawValue][number] else { continue }
        tally = known
      }
      tally.records = counts[Int(number)] - tally.whole
      // Records of several transactions may have been mixed up; then nothing is known.
      if tally.unknown < 0 { tally = Tally(records: counts[Int(number)]) }
      if tally.records > 0 { tallies[number] = tally }
    }
    return tallies
  }
}
