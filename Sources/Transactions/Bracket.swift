import ShmLog

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
    var rest = payload.droppingFinalNULs
    guard let type = Self.takeWord(&rest), let vxid = Self.takeNumber(&rest),
      let reason = Self.takeWord(&rest)
    else { return nil }
    self.type = TransactionType(type)
    self.vxid = vxid & vxidBits
    self.reason = TransactionReason(reason)
    level = Self.takeNumber(&rest) ?? 0
  }

  private static func skipSpace(_ rest: inout LogBytes) {
    var from = 0
    while from < rest.count, ASCII.isSpace(rest[from]) { from += 1 }
    rest = rest.dropFirst(from)
  }

  private static func takeWord(_ rest: inout LogBytes) -> LogBytes? {
    skipSpace(&rest)
    var end = 0
    while end < rest.count, end < wordByteCountMax, !ASCII.isSpace(rest[end]) { end += 1 }
    guard end > 0 else { return nil }
    let word = rest.prefix(end)
    rest = rest.dropFirst(end)
    return word
  }

  private static func takeNumber(_ rest: inout LogBytes) -> UInt64? {
    skipSpace(&rest)
    var end = 0
    var number: UInt64 = 0
    while end < rest.count, ASCII.isDigit(rest[end]) {
      number = number &* 10 &+ UInt64(rest[end] &- 0x30)
      end += 1
    }
    guard end > 0 else { return nil }
    rest = rest.dropFirst(end)
    return number
  }
}
