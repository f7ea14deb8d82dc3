import VarnishLog

/// Tells by the first four bytes of a header that it is none of those looked for.
///
/// Of the headers of a request hardly any is printed; one multiplication and one comparison rule out the rest.
/// Owned by whoever makes it and calls `deallocate`.
@safe struct HeadFilter {
  // Invariant: `heads` has a place for each number of `bits` bits, and `place` gives no other.

  /// The heads of the names, each at the place that its hash gives; 0 is no head.
  private let heads: UnsafeMutablePointer<UInt32>
  private let multiplier: UInt32
  /// Whether anything can be ruled out.
  private let isUseful: Bool

  private static let bits: UInt32 = 6
  /// Sets the bit that tells small letters from capitals.
  private static let fold: UInt32 = 0x2020_2020

  /// Makes a filter for names in lower case.
  init(_ names: [[UInt8]]) {
    unsafe heads = .allocate(capacity: 1 << Self.bits)
    unsafe heads.initialize(repeating: 0, count: 1 << Self.bits)
    var wanted = Set<UInt32>()
    for name in names where name.count >= 4 {
      wanted.insert(name.prefix(4).reversed().reduce(0) { $0 << 8 | UInt32($1) } | Self.fold)
    }
    // A multiplier that gives each head a place of its own is found soon, if there are few.
    let multiplier = (0..<1000).lazy.map { 0x9E37_79B1 &+ 2 * UInt32($0) }.first { multiplier in
      Set(wanted.map { Self.place($0, multiplier) }).count == wanted.count
    }
    self.multiplier = multiplier ?? 0
    isUseful = multiplier != nil && names.allSatisfy { $0.count >= 4 }
    for head in wanted { unsafe heads[Self.place(head, self.multiplier)] = head }
  }

  func deallocate() { unsafe heads.deallocate() }

  @inline(__always)
  private static func place(_ head: UInt32, _ multiplier: UInt32) -> Int {
    Int((head &* multiplier) &>> (32 - bits))
  }

  /// Whether a header's payload may be of one of the names.
  @inline(__always)
  func mayMatch(_ payload: LogBytes) -> Bool {
    guard isUseful else { return true }
    guard payload.count >= 4 else { return false }
    let head = unsafe payload.start.loadUnaligned(as: UInt32.self) | Self.fold
    return unsafe heads[Self.place(head, multiplier)] == head
  }
}
