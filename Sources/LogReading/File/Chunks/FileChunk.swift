import SharedMemory
public import VarnishLog

/// A part of a file, mapped, and its runs one after the other.
@safe public struct FileChunk<Layout: RecordLayout>: ~Copyable {
  // Invariant: `offset` is within the mapping, and a multiple of four bytes behind its beginning, as is each record.

  private let mapping: ReadOnlyMapping
  /// Where the mapping begins in the log.
  private let place: UInt64
  private var offset: Int
  /// The offset from which on a transaction that begins belongs to the next chunk.
  private let limit: Int

  /// Where its first run begins.
  public let start: UInt64
  /// Whether the chunk ends in front of something that has to be looked at in the order of the file: a record
  /// or run that isn't all here, or bytes that are no record.
  public private(set) var isCut = false
  /// The records of tags that the numbering gives no meaning; nil if there were none.
  public private(set) var unknownTags: UnknownTags?

  init(_ mapping: consuming ReadOnlyMapping, place: UInt64, from offset: Int, limit: Int) {
    self.mapping = mapping
    self.place = place
    self.offset = offset
    self.limit = limit
    start = place &+ UInt64(offset)
  }

  /// The place behind what was handed out.
  public var end: UInt64 { place &+ UInt64(offset) }

  /// Where in the log a record lies.
  public func offset(of address: UnsafeRawPointer) -> Int {
    unsafe Int(clamping: place) + (address - mapping.base)
  }

  /// A run that was handed out.
  public func run(at place: UInt64, byteCount: Int, shape: RecordRun<Layout>.Shape) -> RecordRun<Layout> {
    let from = Int(clamping: place &- self.place)
    precondition(from >= 0 && byteCount >= 0 && byteCount <= mapping.byteCount - from)
    return unsafe RecordRun(start: mapping.base + from, byteCount: byteCount, place: place, shape: shape)
  }

  /// The next run of a transaction's records, as a file's reader hands them out; nil at the end of the chunk.
  @_specialize(exported:true,where Layout == NarrowRecords)
  @_specialize(exported:true,where Layout == WideRecords)
  public mutating func next(_ picks: inout RunPicks<Layout>) -> RecordRun<Layout>? {
    while true {
      let start = unsafe mapping.base + offset
      let left = mapping.byteCount - offset
      if offset >= limit, left >= Layout.headerByteCount,
        picks.classes[RecordHeader.tag(unsafe start.load(as: UInt32.self))] == .begin
      {
        return nil
      }
      let run = unsafe picks.find(at: start, byteCount: left)
      guard run.isEnded, run.byteCount > 0 else {
        isCut = true
        return nil
      }
      if run.unknown.count > 0 { unknownTags += UnknownTags(run, at: Int(clamping: end)) }
      let place = end
      offset += run.byteCount
      if run.vxid == 0 { continue }
      return unsafe RecordRun(
        start: start, byteCount: run.byteCount, place: place, shape: run.shape(Layout.self))
    }
  }
}
