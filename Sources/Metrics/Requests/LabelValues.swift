import Glibc

/// The values that a label has had, up to a limit; all further values count as one, `other`.
///
/// Clients choose some of the values, so they are found by a hash that no client can predict, in a table that
/// never grows. Values that a client makes up would fill it, although each occurs only once; so one half of
/// the limit is for the values that come first, and the other half for frequent ones.
struct LabelValues: Sendable {
  /// The values' bytes; `other` is the first.
  private(set) var values: [[UInt8]] = [Array("other".utf8)]
  private let limit: Int
  private let seed: UInt64
  /// The number of the value in each place of the table; 0 where there is none.
  private var places: [UInt16]
  /// Counts values that aren't in the table, to find the frequent ones.
  private var candidates = LabelCandidates()

  /// The largest limit that can be set.
  static let limitMax = 4000
  /// The largest number of bytes of a value; a longer one is no real name.
  static let byteCountMax = 128

  init(limit: Int) {
    self.limit = min(max(1, limit), Self.limitMax)
    seed = UInt64.random(in: .min ... .max)
    var count = 8
    while count < 2 * (self.limit + 1) { count *= 2 }
    places = [UInt16](repeating: 0, count: count)
  }

  /// The number of a value; nil if the value counts as `other`, because the table is full or the value is too
  /// rare.
  mutating func number(of value: UnsafeRawBufferPointer) -> Int? {
    guard value.count <= Self.byteCountMax else { return nil }
    let hash = unsafe hash(value)
    var place = hash & (places.count - 1)
    while places[place] != 0 {
      let number = Int(places[place])
      if unsafe isSame(values[number], value) { return number }
      place = (place + 1) & (places.count - 1)
    }
    if unsafe isSame(values[0], value) { return 0 }
    guard hasRoom || values.count <= limit && candidates.isFrequent(hash) else { return nil }
    places[place] = UInt16(values.count)
    unsafe values.append(Array(value))
    return values.count - 1
  }

  /// Whether the half for values of any frequency has room.
  private var hasRoom: Bool { values.count <= (limit + 1) / 2 }

  private func isSame(_ known: [UInt8], _ value: UnsafeRawBufferPointer) -> Bool {
    guard known.count == value.count else { return false }
    return unsafe known.withUnsafeBytes { bytes in
      guard let one = bytes.baseAddress, let other = value.baseAddress else { return true }
      return unsafe memcmp(one, other, value.count) == 0
    }
  }

  private func hash(_ value: UnsafeRawBufferPointer) -> Int {
    var hash = seed
    for index in 0..<value.count {
      hash = unsafe (hash ^ UInt64(value[index])) &* 0x9E37_79B9_7F4A_7C15
      hash ^= hash >> 29
    }
    return Int(truncatingIfNeeded: hash >> 1) & .max
  }
}
