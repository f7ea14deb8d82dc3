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

  /// Recognises, by its bytes, the form that nearly all payloads have: a type, a number and one of a few
  /// reasons, with single blanks in between; reading fields takes three times as long.
  private init?(usual payload: LogBytes, _ vxidBits: UInt64) {
    guard payload.count >= Self.usualByteCountMin else { return nil }
    let head = unsafe payload.start.loadUnaligned(as: UInt32.self)
    var index: Int
    if head == Self.word("req ") {
      (type, index) = (.request, 4)
    } else if head == Self.word("bere"),
      unsafe payload.start.loadUnaligned(fromByteOffset: 2, as: UInt32.self) == Self.word("req ")
    {
      (type, index) = (.backendRequest, 6)
    } else {
      return nil
    }
    let first = index
    var number: UInt64 = 0
    while index < payload.count {
      let digit = unsafe payload.start.load(fromByteOffset: index, as: UInt8.self) &- 0x30
      guard digit <= 9 else { break }
      number = number &* 10 &+ UInt64(digit)
      index &+= 1
    }
    // A blank, and up to eight bytes of which the last ones are zero: NULs, or nothing.
    let count = payload.count - index - 1
    guard index > first, count > 0, count <= 8,
      unsafe payload.start.load(fromByteOffset: index, as: UInt8.self) == UInt8(ascii: " ")
    else { return nil }
    let last = unsafe payload.start.loadUnaligned(fromByteOffset: payload.count - 8, as: UInt64.self)
    guard let (reason, level) = Self.usualReason(UInt64(littleEndian: last) >> UInt64(8 * (8 - count)))
    else { return nil }
    vxid = number & vxidBits
    (self.reason, self.level) = (reason, level)
  }

  /// The reason and level that eight bytes say, of which the last ones are zero; nil if it is none of the
  /// usual ones.
  @inline(__always)
  private static func usualReason(_ bytes: UInt64) -> (TransactionReason, level: UInt64)? {
    if bytes == letters("rxreq\0\0\0") { return (.received, 0) }
    if bytes == letters("fetch\0\0\0") || bytes == letters("pass\0\0\0\0") { return (.other, 0) }
    if bytes == letters("bgfetch\0") || bytes == letters("retry\0\0\0") { return (.other, 0) }
    if bytes == letters("restart\0") { return (.restart, 0) }
    if bytes == letters("esi\0\0\0\0\0") { return (.esi, 0) }
    // From 7.3 on, the level follows.
    let level = (bytes ^ letters("esi 0\0\0\0")) >> 32
    return bytes << 32 == letters("esi 0\0\0\0") << 32 && level < 10 ? (.esi, level) : nil
  }

  /// Whether the payload of a `Begin` is a session's, told by its first bytes; false if it takes a closer
  /// look.
  @inline(__always)
  static func isOfSession(_ payload: LogBytes) -> Bool {
    unsafe payload.count > 4 && payload.start.loadUnaligned(as: UInt32.self) == word("sess")
      && payload.start.load(fromByteOffset: 4, as: UInt8.self) == UInt8(ascii: " ")
  }

  /// The length of the shortest usual payload, `req 1 esi`: enough for eight bytes to be loaded.
  private static let usualByteCountMin = 9

  /// Four letters as they are loaded from memory.
  @inline(__always)
  private static func word(_ text: StaticString) -> UInt32 {
    unsafe UnsafeRawPointer(text.utf8Start).loadUnaligned(as: UInt32.self)
  }

  /// Eight bytes as they are loaded from memory, the first one's bits the lowest.
  @inline(__always)
  private static func letters(_ text: StaticString) -> UInt64 {
    unsafe UInt64(littleEndian: UnsafeRawPointer(text.utf8Start).loadUnaligned(as: UInt64.self))
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
