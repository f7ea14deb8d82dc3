/// A wish as a table in plain memory, to be looked up by a walk over records: a byte for each tag, and one
/// for each way in which a payload can begin.
///
/// Looking up needs no branch: whether a record is picked is a number that is added to the count of picked
/// records. Of the records of a usual transaction some twenty in fifty are picked for a line; with a branch
/// the processor would have to guess at each.
///
/// Owned by its maker, which calls `deallocate`.
@safe public struct PickTable {
  // Invariant: `bytes` are 256 for the tags and then one for each number of `headBits` bits, and no index is larger.
  // They lie together so that one register leads to both.

  @usableFromInline let bytes: UnsafeMutablePointer<UInt8>

  /// The code of a tag all of whose records are picked: each way to begin has the bit.
  private static var always: UInt8 { 0x80 }
  /// The bit of tags at which a walk stops to look.
  @usableFromInline package static var stop: UInt8 { 0x01 }
  /// The bits for tags that are picked by how their records begin; tags that want the same share one.
  private static var classes: [UInt8] { [0x02, 0x04, 0x08, 0x10, 0x20, 0x40] }
  @usableFromInline static var tagCount: Int { 256 }
  @usableFromInline static var headBits: UInt32 { 12 }
  /// Sets the bit that tells small letters from capitals, and makes other bytes no more different than they were.
  @usableFromInline static var fold: UInt32 { 0x2020_2020 }

  /// Makes a table of a wish.
  ///
  /// - Parameter stops: the tags at which a walk stops to look.
  public init(_ wish: PickWish, stops: TagSet = TagSet()) {
    unsafe bytes = .allocate(capacity: Self.tagCount + 1 << Self.headBits)
    unsafe bytes.initialize(repeating: 0, count: Self.tagCount)
    unsafe (bytes + Self.tagCount).initialize(repeating: Self.always, count: 1 << Self.headBits)
    var known: [(heads: Set<UInt32>, code: UInt8)] = []
    for (tag, wanted) in wish.heads {
      let code: UInt8
      if let same = known.first(where: { $0.heads == wanted }) {
        code = same.code
      } else {
        // If there are more wishes than bits, the rest share the last bit, so that more is picked than is
        // wanted.
        code = Self.classes[min(known.count, Self.classes.count - 1)]
        known.append((wanted, code))
        for head in wanted { unsafe bytes[Self.place(head)] |= code }
      }
      unsafe bytes[Int(tag)] = code
    }
    for tag in RecordHeader.tagNumbers {
      if wish.tags.contains(tag) { unsafe bytes[Int(tag)] |= Self.always }
      if stops.contains(tag) { unsafe bytes[Int(tag)] |= Self.stop }
    }
  }

  /// Gives the memory back.
  public func deallocate() {
    unsafe bytes.deallocate()
  }

  @inlinable
  static func place(_ head: UInt32) -> Int { tagCount &+ Int((head &* 0x9E37_79B1) &>> (32 - headBits)) }

  /// The code that says which of a tag's records are wanted.
  @inlinable
  package func code(_ tag: UInt8) -> UInt8 { unsafe bytes[Int(tag)] }

  /// Whether a record is picked, as a number.
  ///
  /// - Parameters:
  ///   - code: of the record's tag.
  ///   - head: the first four bytes of its payload, or what lies there if it is shorter.
  @inlinable
  package func picks(_ code: UInt8, head: UInt32) -> Int {
    // No way to begin has the bit of the stops.
    unsafe bytes[Self.place(head | Self.fold)] & code != 0 ? 1 : 0
  }

  /// Whether a whole record is picked.
  @inlinable
  package func picks<Layout>(_ record: Record<Layout>) -> Bool {
    let code = code(record.tag)
    guard mayPick(code) else { return false }
    // A payload takes whole words; without any, there is nothing to tell by.
    guard record.payload.count > 0 else { return true }
    return unsafe picks(code, head: record.payload.start.load(as: UInt32.self)) != 0
  }

  /// Whether records of a tag may be picked.
  @inlinable
  package func mayPick(_ code: UInt8) -> Bool { code & ~Self.stop != 0 }
}
