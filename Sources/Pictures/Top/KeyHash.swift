/// A hash of keys that clients choose, seeded with a number that differs from run to run, so that no client
/// can make keys that collide.
struct KeyHash: Sendable {
  private let seed: UInt64

  init(seed: UInt64 = .random(in: 0...UInt64.max)) { self.seed = seed }

  /// Mixes two words by a multiplication with the full product.
  @inline(__always)
  private static func mix(_ one: UInt64, _ other: UInt64) -> UInt64 {
    let product = one.multipliedFullWidth(by: other)
    return product.high ^ product.low
  }

  /// The hash of a key of a kind.
  @inline(__always)
  func callAsFunction(_ key: UnsafeRawBufferPointer, kind: UInt8) -> UInt64 {
    var hash = Self.mix(seed ^ UInt64(key.count) << 8 ^ UInt64(kind), 0x9E37_79B9_7F4A_7C15)
    var at = 0
    while at + 8 <= key.count {
      let word = unsafe key.loadUnaligned(fromByteOffset: at, as: UInt64.self)
      hash = Self.mix(hash ^ word, 0xD6E8_FEB8_6659_FD93)
      at += 8
    }
    var rest: UInt64 = 0
    while at < key.count {
      rest = unsafe rest << 8 | UInt64(key[at])
      at += 1
    }
    return Self.mix(hash ^ rest, 0xA076_1D64_78BD_642F ^ seed)
  }
}
