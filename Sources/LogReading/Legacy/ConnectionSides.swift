public import VarnishLog

/// Which connections are clients' and which lead to backends, by what was logged of them (`vsl-tags.md` 8).
///
/// A descriptor is used again and again, and nothing in a record says which side's connection has it.
public struct ConnectionSides {
  /// How many descriptors are told apart; a record with a higher one is of no side.
  public static let descriptorCount: UInt32 = 65536

  private var sides: [Side] = []
  private let clientTags: TagSet, backendTags: TagSet

  /// Begins with no connection's side known.
  public init(_ numbering: TagNumbering) {
    let table = TagTable(numbering)
    func set(_ tags: [Tag]) -> TagSet {
      var set = TagSet()
      for number in tags.compactMap(table.number) { set.insert(number) }
      return set
    }
    clientTags = set([.sessionOpen, .reqStart])
    backendTags = set([.backendOpen, .backendXID])
  }

  /// The side of a record, which may itself tell the side of its connection.
  public mutating func side(ofTag tag: UInt8, descriptor: UInt32) -> Side {
    guard descriptor < Self.descriptorCount else { return .none }
    let index = Int(descriptor)
    if clientTags.contains(tag) {
      note(.client, index)
    } else if backendTags.contains(tag) {
      note(.backend, index)
    }
    return index < sides.count ? sides[index] : .none
  }

  private mutating func note(_ side: Side, _ index: Int) {
    if index >= sides.count { sides += Array(repeating: .none, count: index + 1 - sides.count) }
    sides[index] = side
  }
}
