import VarnishLog

/// What a `Begin` says of its transaction's origin, or a `Link` of another transaction (`grouping.md` 2).
struct Bracket {
  let type: TransactionType
  /// The parent's number in a `Begin`, the child's in a `Link`.
  let vxid: UInt64
  let reason: TransactionReason
  /// How deep an ESI fragment is nested; 0 for anything else and before 7.3.
  let level: UInt64

  /// The longest word that is read; what is longer runs into the next field.
  private static let wordByteCountMax = 15

  /// Reads a word, a number, a word and perhaps a number; nil if one of the first three is missing.
  init?(_ payload: LogBytes, vxidBits: UInt64) {
    if let usual = Bracket(usual: payload, vxidBits) {
      self = usual
      return
    }
    var reader = Reader(payload: payload.droppingFinalNULs)
    guard let type = reader.takeWord(), let vxid = reader.takeNumber(),
      let reason = reader.takeWord()
    else { return nil }
    self.type = TransactionType(type)
    self.vxid = vxid & vxidBits
    self.reason = TransactionReason(reason)
    level = reader.takeNumber() ?? 0
  }

  /// Recognises by their bytes what nearly all begin with: `req N rxreq` and `bereq N fetch`; reading their fields takes
  /// three times as long.
  private init?(usual payload: LogBytes, _ vxidBits: UInt64) {
    guard payload.count >= Self.usualByteCountMin else { return nil }
    let isRequest = unsafe payload.start.loadUnaligned(as: UInt32.self) == Self.word("req ")
    let isFetch =
      unsafe payload.start.loadUnaligned(as: UInt32.self) == Self.word("bere")
      && payload.start.loadUnaligned(fromByteOffset: 2, as: UInt32.self) == Self.word("req ")
    guard isRequest || isFetch else { return nil }
    var index = isRequest ? 4 : 6
    let first = index
    var number: UInt64 = 0
    while index < payload.count {
      let digit = unsafe payload.start.load(fromByteOffset: index, as: UInt8.self) &- 0x30
      guard digit <= 9 else { break }
      number = number &* 10 &+ UInt64(digit)
      index &+= 1
    }
    // A blank, five letters, and one NUL at most.
    let rest = payload.count - index
    guard index > first, rest == 6 || rest == 7,
      unsafe payload.start.load(fromByteOffset: payload.count - 1, as: UInt8.self)
        == (rest == 7 ? 0 : isRequest ? UInt8(ascii: "q") : UInt8(ascii: "h"))
    else { return nil }
    let front = unsafe payload.start.loadUnaligned(fromByteOffset: index, as: UInt32.self)
    let back = unsafe payload.start.loadUnaligned(fromByteOffset: index + 2, as: UInt32.self)
    guard
      isRequest
        ? front == Self.word(" rxr") && back == Self.word("xreq")
        : front == Self.word(" fet") && back == Self.word("etch")
    else { return nil }
    type = isRequest ? .request : .backendRequest
    reason = isRequest ? .received : .other
    vxid = number & vxidBits
    level = 0
  }

  /// Whether what a `Begin` says is of a session, told by its first bytes; false if it takes a closer look.
  @inline(__always)
  static func isOfSession(_ payload: LogBytes) -> Bool {
    unsafe payload.count > 4 && payload.start.loadUnaligned(as: UInt32.self) == word("sess")
      && payload.start.load(fromByteOffset: 4, as: UInt8.self) == UInt8(ascii: " ")
  }

  /// The shortest, with a number of one digit.
  private static let usualByteCountMin = 11

  /// Four letters as they are loaded from memory.
  @inline(__always)
  private static func word(_ text: StaticString) -> UInt32 {
    unsafe UnsafeRawPointer(text.utf8Start).loadUnaligned(as: UInt32.self)
  }

  private struct Reader {
    let payload: LogBytes
    /// The next byte; never beyond `payload.count`.
    var index = 0

    init(payload: LogBytes) { self.payload = payload }

    /// The byte at `index`, which the caller has compared with `payload.count`.
    private var byte: UInt8 { unsafe payload.start.load(fromByteOffset: index, as: UInt8.self) }

    @inline(__always)
    private mutating func skipSpace() {
      while index < payload.count, ASCII.isSpace(byte) { index &+= 1 }
    }

    mutating func takeWord() -> LogBytes? {
      skipSpace()
      let from = index
      let limit = min(payload.count, from &+ wordByteCountMax)
      while index < limit, !ASCII.isSpace(byte) { index &+= 1 }
      guard index > from else { return nil }
      return unsafe LogBytes(start: payload.start + from, count: index &- from)
    }

    mutating func takeNumber() -> UInt64? {
      skipSpace()
      let from = index
      var number: UInt64 = 0
      while index < payload.count {
        let digit = byte &- 0x30
        guard digit <= 9 else { break }
        number = number &* 10 &+ UInt64(digit)
        index &+= 1
      }
      return index > from ? number : nil
    }
  }
}
