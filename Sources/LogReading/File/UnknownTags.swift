/// Records whose tag has no meaning in the log's numbering.
public struct UnknownTags: Sendable, Equatable {
  /// How many there were.
  public internal(set) var count: Int
  /// The first one's tag, and where in the file it stands.
  public let firstTag: UInt8, firstOffset: Int

  /// Counts records of unknown tags, by the tag and the offset of the first one.
  init(count: Int, firstTag: UInt8, firstOffset: Int) {
    self.count = count
    self.firstTag = firstTag
    self.firstOffset = firstOffset
  }

  /// Takes the records of unknown tags in a run that begins at an offset.
  init(_ run: FoundRun, at offset: Int) {
    self.init(count: run.unknown.count, firstTag: run.unknown.tag, firstOffset: offset + run.unknown.offset)
  }

  /// Adds the records of unknown tags that were found behind these.
  static func += (sum: inout UnknownTags?, later: UnknownTags) {
    if sum == nil { sum = later } else { sum?.count += later.count }
  }
}
