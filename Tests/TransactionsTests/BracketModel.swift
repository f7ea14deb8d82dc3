import TestSupport

/// The meaning of a `Begin` or a `Link`, by `grouping.md` 2.
struct BracketModel {
  var type: String
  var vxid: UInt64
  var reason: String
  var level: UInt64

  init?(_ record: SampleRecord, _ layout: SampleLayout) {
    var rest = Self.text(record)[...]
    guard let type = Self.word(&rest), let vxid = Self.number(&rest), let reason = Self.word(&rest)
    else { return nil }
    self.type = type
    self.vxid = layout == .twoWord ? vxid % (1 << 32) : vxid
    self.reason = reason
    level = Self.number(&rest) ?? 0
  }

  /// The payload without its terminator.
  static func text(_ record: SampleRecord) -> [UInt8] {
    Array(record.payload.reversed().drop { $0 == 0 }.reversed())
  }

  private static func word(_ rest: inout ArraySlice<UInt8>) -> String? {
    rest = rest.drop { $0 == 32 || (9...13).contains($0) }
    let word = rest.prefix { !($0 == 32 || (9...13).contains($0)) }.prefix(15)
    rest = rest.dropFirst(word.count)
    return word.isEmpty ? nil : String(decoding: word, as: UTF8.self)
  }

  private static func number(_ rest: inout ArraySlice<UInt8>) -> UInt64? {
    rest = rest.drop { $0 == 32 || (9...13).contains($0) }
    let digits = rest.prefix { (48...57).contains($0) }
    rest = rest.dropFirst(digits.count)
    return UInt64(String(decoding: digits, as: UTF8.self))
  }
}
