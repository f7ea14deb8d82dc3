/// Which records of transactions are wanted, as far as it can be told quickly: by their tags, and by how their payloads
/// begin.
///
/// Records that aren't wanted may be picked as well; all that are wanted are.
public struct PickWish: Sendable, Equatable {
  /// The tags of which every record is wanted.
  public private(set) var tags = TagSet()
  /// The tags of which only records with certain beginnings are wanted: the first four bytes, in small
  /// letters.
  private(set) var heads: [UInt8: Set<UInt32>] = [:]
  /// The side whose transactions are of no use.
  public var unwantedSide: Side?

  /// Nothing is wanted.
  public init() {}

  /// All records of some tags are wanted.
  public init(_ tags: TagSet) { self.tags = tags }

  /// Every record is wanted.
  public static var all: PickWish { PickWish(.all) }

  /// Whether nothing is wanted.
  public var isEmpty: Bool { tags == TagSet() && heads.isEmpty }

  /// Whether a record of a tag may be wanted.
  public func mayWant(_ tag: UInt8) -> Bool { tags.contains(tag) || heads[tag] != nil }

  /// Whether everything is wanted that another one wants, independent of the side.
  public func contains(_ other: PickWish) -> Bool {
    tags.contains(other.tags)
      && other.heads.allSatisfy { tag, wanted in
        tags.contains(tag) || heads[tag]?.isSuperset(of: wanted) ?? wanted.isEmpty
      }
  }

  /// Adds all records of some tags.
  public mutating func want(_ tags: TagSet) {
    self.tags.formUnion(tags)
  }

  /// Adds all records of a tag.
  public mutating func want(_ tag: UInt8) { tags.insert(tag) }

  /// Adds the records of a tag that begin with one of some names, in which the case of letters makes no difference.
  public mutating func want(_ tag: UInt8, beginningWith names: [[UInt8]]) {
    // A name that is shorter than the bytes that are compared could have many beginnings.
    guard names.allSatisfy({ $0.count >= Self.headByteCount }) else {
      tags.insert(tag)
      return
    }
    heads[tag, default: []].formUnion(names.map(Self.head))
  }

  /// Adds everything that another one wants.
  public mutating func formUnion(_ other: PickWish) {
    tags.formUnion(other.tags)
    heads.merge(other.heads) { $0.union($1) }
    if unwantedSide != other.unwantedSide { unwantedSide = nil }
  }

  /// How many bytes of a payload are compared.
  private static let headByteCount = MemoryLayout<UInt32>.size

  private static func head(of name: [UInt8]) -> UInt32 {
    name.prefix(headByteCount).reversed().reduce(0) { $0 << 8 | UInt32($1) } | PickTable.fold
  }
}
