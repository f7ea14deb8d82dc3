import CShims
package import SharedMemory
package import VarnishLog

/// The log of a server before 4.0, where it lies in the server's one file (`shm-layout.md` 2.1, 3.4).
///
/// This is the memory, and what the file says of it; `LegacyRing` reads the records in it. All of the file is
/// mapped, as its head goes on telling how far the server has come. Everything in it may change at any
/// moment, and may be made up: each value is loaded once, and checked against the area before it is returned.
package struct LegacyLogArea: ~Copyable {
  /// Which releases make such records.
  package enum Generation: Sendable, Equatable {
    /// 2.0 and 2.1: bytes one after another, from the area's first one on.
    case v20, v21
    /// 3.0: words, of which the first counts the turns.
    case v30
  }

  /// Which releases make such records.
  package let generation: Generation
  /// The file's name, for messages.
  package let path: String
  /// Where the area lies in the file.
  package let range: Range<Int>
  /// Which log it is: the file, and the process that writes it.
  package let incarnation: LogIncarnation

  private let mapping: ReadOnlyMapping
  /// Where the file tells how far the server has come, and how often it has begun anew.
  private let pointerOffset: Int?
  private let turnOffset: Int?
  /// The length that the area's section had when it was found.
  private let sectionByteCount: UInt32

  /// Takes over the mapping of a whole `_.vsl`.
  ///
  /// - Throws: `LogError.damaged` if its head doesn't describe a log inside it.
  package init(
    flat mapping: consuming ReadOnlyMapping, _ layout: FlatFileLayout, path: String,
    incarnation: LogIncarnation
  ) throws(LogError) {
    guard mapping.byteCount >= layout.headByteCountMin else {
      throw .damaged(path: path, offset: 0, problem: "\(mapping.byteCount) bytes are too few for a log")
    }
    let base = unsafe mapping.base
    let headByteCount = unsafe shim_load_acquire_u32(base + FlatFileLayout.headSizeOffset)
    let start = unsafe Int(shim_load_acquire_u32(base + layout.logStartOffset))
    let byteCount = unsafe Int(shim_load_acquire_u32(base + layout.logSizeOffset))
    // Both are less than 2^32, so that the sum is exact.
    guard start >= layout.headByteCountMin, byteCount > 0, start + byteCount <= mapping.byteCount else {
      throw .damaged(
        path: path, offset: layout.logStartOffset,
        problem: "a log of \(byteCount) bytes at \(start) doesn't lie in a file of \(mapping.byteCount)")
    }
    generation = layout == .v20 ? .v20 : .v21
    range = start..<start + byteCount
    pointerOffset = layout.pointerOffset
    let turns = layout.cyclesOffset(headByteCount: headByteCount)
    turnOffset = turns.flatMap { $0 + 8 <= start ? $0 : nil }
    sectionByteCount = 0
    self.path = path
    self.incarnation = incarnation
    self.mapping = mapping
  }

  /// Takes over the mapping of a whole `_.vsm` of 3.0, in which the log's section was found.
  ///
  /// - Parameter section: where the section lies, header included.
  /// - Throws: `LogError.damaged` if that isn't inside the mapping, or has no room for a record.
  package init(
    section: Range<Int>, in mapping: consuming ReadOnlyMapping, path: String, incarnation: LogIncarnation
  ) throws(LogError) {
    let header = SectionFileLayout.sectionHeaderByteCount
    // The turn's number and a mark; 4 GiB are more than the length of a section can say.
    guard section.lowerBound >= 0, section.upperBound <= mapping.byteCount, section.count >= header + 16,
      section.lowerBound % 4 == 0, let length = UInt32(exactly: section.count)
    else {
      throw .damaged(
        path: path, offset: section.lowerBound,
        problem: "a section of \(section.count) bytes holds no log in a file of \(mapping.byteCount)")
    }
    generation = .v30
    range = section.lowerBound + header..<section.lowerBound + section.count & ~3
    pointerOffset = nil
    turnOffset = section.lowerBound + header
    sectionByteCount = length
    self.path = path
    self.incarnation = incarnation
    self.mapping = mapping
  }

  /// The area's first byte; aligned to a word in 3.0, not at all before.
  package var start: UnsafeRawPointer { unsafe mapping.base + range.lowerBound }

  /// How many bytes the area has, in 3.0 whole words.
  package var byteCount: Int { range.count }

  /// Where the server writes the next record, in bytes from the area's start, as the head says in 2.x; nil if
  /// there is no such head, or if it names a place outside the area.
  package var writeOffset: Int? {
    guard let pointerOffset else { return nil }
    let offset = unsafe Int(shim_load_acquire_u32(mapping.base + pointerOffset))
    return offset < byteCount ? offset : nil
  }

  /// How often the log has begun anew: 2.1 counts from 0, 3.0 from some number on and leaves 0 out; nil for files
  /// that don't tell.
  package var turn: UInt64? {
    guard let turnOffset else { return nil }
    if generation == .v30 { return unsafe UInt64(shim_load_acquire_u32(mapping.base + turnOffset)) }
    // Far more than there can be, and small enough to calculate with.
    return unsafe shim_load_acquire_u64(mapping.base + turnOffset) & (1 << 40 - 1)
  }

  /// Whether the area still has the log in it: a section that a server of 3.0 has freed stays as it was for
  /// some seconds, and is used for something else then.
  ///
  /// To be asked *after* records were used, as `LogSource.isIntact` is.
  package var isInPlace: Bool {
    guard generation == .v30 else { return true }
    shim_fence_acquire()
    let section = unsafe start - SectionFileLayout.sectionHeaderByteCount
    let kind = unsafe shim_load_acquire_u32(section + SectionFileLayout.kindOffset)
    guard kind == SectionFileLayout.logKindWord || kind == SectionFileLayout.coolKindWord else {
      return false
    }
    return unsafe shim_load_acquire_u32(section) == SectionFileLayout.sectionMagic
      && shim_load_acquire_u32(section + SectionFileLayout.lengthOffset) == sectionByteCount
  }
}
