import Glibc

/// The values that a label has had, up to a number of them; what else comes is all one value, `other`.
///
/// Clients decide on some of them, so they are found by a hash that no client can foresee, in a table that never
/// grows. Made-up values would fill it, each of which comes once; so one half is for those that come first, and the other
/// one for those that come often.
struct LabelValues: Sendable {
  /// Their bytes; `other` is the first.
  private(set) var values: [[UInt8]] = [Array("other".utf8)]
  private let limit: Int
  private let seed: UInt64
  /// The number of the value in each place of the table; 0 where there is none.
  private var places: [UInt16]
  /// Those that haven't come often so far.
  private var candidates = LabelCandidates()

  /// How many values a label may be allowed.
  static let limitMax = 4000
  /// How long one may be; a longer one is no real name.
  static let byteCountMax = 128

  init(limit: Int) {
    self.limit = min(max(1, limit), Self.limitMax)
    seed = UInt64.random(in: .min ... .max)
    var count = 8
    while count < 2 * (self.limit + 1) { count *= 2 }
    places = [UInt16](repeating: 0, count: count)
  }

  /// The number of a value; nil if it is one too many, or comes too seldom, and so counts as `other`.
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

  /// Whether there is room for any value that comes.
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
