import CShims
package import SharedMemory
package import VarnishLog

/// The one file in which a server before 5.2 has its log and all else that it shares, mapped (`shm-layout.md` 2 to 4).
///
/// It may be live, a copy, a copy that was taken while it changed, or made up. Each answer comes from its
/// bytes as they are at that moment, and never leads outside of them.
package struct SingleFile: ~Copyable {
  /// How the file is divided.
  package enum Layout: Sendable, Equatable {
    /// 2.0 and 2.1: a head, and the log behind it.
    case flat(FlatFileLayout)
    /// 3.0, and a `LogWriter`: sections, one behind the other.
    case sections
    /// 4.0 to 5.1: chunks, each of which says where the next one is.
    case chunks
  }

  /// Where the log lies in the file: its section or chunk, header included, or in 2.x the log itself.
  package struct Section: Equatable, Sendable {
    package let range: Range<Int>
  }

  /// The result of a look for the log.
  package enum Search: Equatable, Sendable {
    case found(Section)
    /// There is no log.
    case absent
    /// The list is being changed, so that what was seen of it doesn't count.
    case changing
    /// The list leads to something that is no section.
    case damaged(offset: Int, problem: String)
  }

  /// How it is divided.
  package let layout: Layout
  /// Its name, for messages.
  package let path: String
  let mapping: ReadOnlyMapping

  /// Recognises a mapped file by its first word.
  ///
  /// - Parameter mapping: of the whole file, at an address that is a multiple of 8, as it is wherever the file lies at
  ///   a multiple of 8 in another one.
  /// - Returns: nil if it has no magic number yet.
  /// - Throws: `LogError.damaged` if it is no such file, or has no room for its head.
  package init?(_ mapping: consuming ReadOnlyMapping, path: String) throws(LogError) {
    let recognised = try Self.recognise(mapping, path)
    guard let recognised else { return nil }
    layout = recognised
    self.path = path
    self.mapping = mapping
  }

  private static func recognise(_ mapping: borrowing ReadOnlyMapping, _ path: String) throws(LogError)
    -> Layout?
  {
    unsafe precondition(UInt(bitPattern: mapping.base) % 8 == 0, "a file that is mapped at an odd place")
    let isTooShort = LogError.damaged(
      path: path, offset: 0, problem: "\(mapping.byteCount) bytes are too few for a log")
    guard mapping.byteCount >= ChunkFileLayout.headByteCount else { throw isTooShort }
    let marker = unsafe shim_load_acquire_u64(mapping.base)
    if marker == ChunkFileLayout.magic { return .chunks }
    let magic = UInt32(truncatingIfNeeded: marker)
    if magic == SectionFileLayout.magic {
      if mapping.byteCount < SectionFileLayout.firstSectionOffset { throw isTooShort }
      return .sections
    }
    if let flat = FlatFileLayout(magic: magic) { return .flat(flat) }
    if magic == 0 { return nil }
    throw .damaged(path: path, offset: 0, problem: "no marker of a log in one file")
  }

  /// The size of the file, as it was when it was mapped.
  package var byteCount: Int { mapping.byteCount }

  // MARK: The head

  /// The number of the list of sections: changes with each change of it; nil in 2.x, which has no list.
  ///
  /// 0 means that the list is just being changed in 3.0, and that the file is abandoned from 4.0 on.
  package var listNumber: UInt32? {
    switch layout {
    case .flat: nil
    case .sections: word(at: SectionFileLayout.listNumberOffset)
    case .chunks: word(at: ChunkFileLayout.listNumberOffset)
    }
  }

  /// Whether the server has let go of the file, as it says itself from 4.0 on.
  package var isAbandoned: Bool { layout == .chunks && listNumber == 0 }

  /// Seconds since the file was made, as its manager keeps counting from 4.0 on; nil before.
  package var age: UInt64? { layout == .chunks ? longWord(at: ChunkFileLayout.ageOffset) : nil }

  /// When the manager began, in seconds since 1970; nil from 4.0 on.
  package var birth: Int64? {
    switch layout {
    case .flat: Int64(bitPattern: longWord(at: FlatFileLayout.startOffset))
    case .sections: Int64(bitPattern: longWord(at: SectionFileLayout.startOffset))
    case .chunks: nil
    }
  }

  /// The manager's process, 0 after its orderly end; nil in 2.0 and from 4.0 on.
  package var master: Int32? { processOffset.map { Int32(bitPattern: word(at: $0)) } }

  /// The worker's process, as `master`.
  package var child: Int32? { processOffset.map { Int32(bitPattern: word(at: $0 + 4)) } }

  private var processOffset: Int? {
    switch layout {
    case .flat(let layout): layout.masterOffset
    case .sections: SectionFileLayout.masterOffset
    case .chunks: nil
    }
  }

  // MARK: The list

  /// Looks for the log.
  package func findLog() -> Search {
    switch layout {
    case .flat(let layout): return findArea(layout)
    case .sections, .chunks: break
    }
    let number = listNumber
    let isSections = layout == .sections
    if isSections, number == 0 { return .changing }
    let found = isSections ? walkSections() : walkChunks()
    shim_fence_acquire()
    return listNumber == number ? found : .changing
  }

  private func findArea(_ layout: FlatFileLayout) -> Search {
    let start = Int(word(at: layout.logStartOffset))
    let end = start + Int(word(at: layout.logSizeOffset))
    guard start >= layout.headByteCountMin, end > start, end <= byteCount else {
      return .damaged(
        offset: layout.logStartOffset,
        problem: "a log from byte \(start) to \(end) doesn't lie in a file of \(byteCount)")
    }
    return .found(Section(range: start..<end))
  }

  /// Where the log lies if only its beginning is there, as the file was cut; nil if not even that is.
  ///
  /// The section's range leads beyond the file.
  func findCutLog() -> Section? {
    switch layout {
    case .chunks: return nil
    case .flat(let layout):
      let start = Int(word(at: layout.logStartOffset))
      let end = start + Int(word(at: layout.logSizeOffset))
      guard start >= layout.headByteCountMin, start < byteCount, end > byteCount else { return nil }
      return Section(range: start..<end)
    case .sections:
      typealias Layout = SectionFileLayout
      guard case .damaged(let offset, _) = walkSections(), byteCount - offset >= Layout.sectionHeaderByteCount
      else { return nil }
      let length = Int(word(at: offset + Layout.lengthOffset))
      guard word(at: offset) == Layout.sectionMagic, length > byteCount - offset,
        word(at: offset + Layout.kindOffset) == Layout.logKindWord
      else { return nil }
      return Section(range: offset..<offset + length)
    }
  }

  /// Where in the file a log may begin.
  var firstOffset: Int {
    switch layout {
    case .chunks: ChunkFileLayout.headByteCount
    case .flat(let layout): layout.headByteCountMin
    case .sections: SectionFileLayout.firstSectionOffset
    }
  }

  private func walkSections() -> Search {
    typealias Layout = SectionFileLayout
    let header = Layout.sectionHeaderByteCount
    let end = min(byteCount, Int(word(at: Layout.sizeOffset)))
    var offset = Layout.firstSectionOffset
    // Each step is at least as long as a header.
    while end - offset >= header {
      guard word(at: offset) == Layout.sectionMagic else {
        return .damaged(offset: offset, problem: "no section begins here, where the one before ends")
      }
      let length = Int(word(at: offset + Layout.lengthOffset))
      guard length >= header, length % 4 == 0, length <= end - offset else {
        return .damaged(offset: offset, problem: "a section claims \(length) of \(end - offset) bytes")
      }
      if word(at: offset + Layout.kindOffset) == Layout.logKindWord {
        return .found(Section(range: offset..<offset + length))
      }
      offset += length
    }
    return .absent
  }

  private func walkChunks() -> Search {
    typealias Layout = ChunkFileLayout
    let header = Layout.chunkHeaderByteCount
    let size = longWord(at: Layout.sizeOffset)
    let end = size <= UInt64(byteCount) ? Int(size) : byteCount
    var next = longWord(at: Layout.firstChunkOffset)
    // No more chunks than there is room for: a list that leads back to itself ends, too.
    for _ in 0...byteCount / header where next > 0 {
      guard next % 8 == 0, end >= header, next <= UInt64(end - header), next >= UInt64(Layout.headByteCount)
      else {
        return .damaged(
          offset: Layout.firstChunkOffset, problem: "the list of chunks leads to byte \(next) of \(end)")
      }
      // Not more than the file has bytes.
      let offset = Int(next)
      let length = longWord(at: offset + Layout.lengthOffset)
      // The chunk was freed while the list was walked; if so, the list's number has changed, too.
      if length == 0 { return .changing }
      guard longWord(at: offset) == Layout.chunkMagic, length >= UInt64(header),
        length <= UInt64(end - offset)
      else { return .damaged(offset: offset, problem: "no chunk begins here, where the list leads") }
      if longWord(at: offset + Layout.kindOffset) == UInt64(SectionFileLayout.logKindWord) {
        return .found(Section(range: offset..<offset + Int(length)))
      }
      next = longWord(at: offset + Layout.nextOffset)
    }
    return .absent
  }

  /// A word of the file, whose place is known to be inside it.
  func word(at offset: Int) -> UInt32 {
    precondition(offset >= 0 && offset <= byteCount - 4)
    return unsafe shim_load_acquire_u32(mapping.base + offset)
  }

  func longWord(at offset: Int) -> UInt64 {
    precondition(offset >= 0 && offset <= byteCount - 8)
    return unsafe shim_load_acquire_u64(mapping.base + offset)
  }

  // MARK: The log

  /// Gives the mapping back.
  consuming func takeMapping() -> ReadOnlyMapping { mapping }

  /// Gives the mapping to a reader of the log in a section.
  ///
  /// - Parameters:
  ///   - section: as `findLog` has found it.
  ///   - incarnation: which log it is.
  ///   - stopsAtTail: the end of what was written is the end of the input, as in a copy.
  /// - Returns: nil if the server hasn't finished making the log.
  /// - Throws: `LogError.damaged` if there is no log.
  package consuming func open(
    _ section: Section, incarnation: LogIncarnation, start: LogStart, stopsAtTail: Bool
  ) throws(LogError) -> LiveRing? {
    switch layout {
    case .chunks:
      let log = section.range.dropFirst(ChunkFileLayout.chunkHeaderByteCount)
      let place = RingPlace(path: path, incarnation: incarnation, range: log)
      return try LiveRing(mapping, at: place, start: start, stopsAtTail: stopsAtTail)
    case .flat(let layout):
      let area = try LegacyLogArea(flat: mapping, layout, path: path, incarnation: incarnation)
      return LiveRing(area, start: start, stopsAtTail: stopsAtTail)
    case .sections:
      let area = try LegacyLogArea(section: section.range, in: mapping, path: path, incarnation: incarnation)
      return LiveRing(area, start: start, stopsAtTail: stopsAtTail)
    }
  }
}
