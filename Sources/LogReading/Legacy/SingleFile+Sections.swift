import CShims
import SharedMemory
import VarnishLog

extension SingleFile {
  /// What the file is divided into, and what is wrong with the division.
  struct Sections {
    var all: [SharedSection] = []
    /// Why the list isn't complete; nil if it is.
    var problem: String?

    fileprivate static let countMax = 20_000

    /// Adds a section.
    ///
    /// - Returns: whether there is room for more.
    fileprivate mutating func add(_ section: SharedSection) -> Bool {
      guard all.count < Self.countMax else {
        problem = "there are more than \(Self.countMax) sections"
        return false
      }
      all.append(section)
      return true
    }
  }

  /// Lists everything in the file.
  ///
  /// 2.x has no list: what is listed are the parts of its file, called as later releases call such sections.
  func sections() -> Sections {
    switch layout {
    case .flat(let layout): return parts(layout)
    case .sections, .chunks: break
    }
    var found = Sections()
    // A list that changes while it is walked is walked again.
    for _ in 0..<3 {
      let number = listNumber
      found = layout == .sections ? listedSections() : listedChunks()
      shim_fence_acquire()
      if listNumber == number { return found }
    }
    found.problem = "the list changed while it was read"
    return found
  }

  private func parts(_ layout: FlatFileLayout) -> Sections {
    let headEnd = Int(word(at: FlatFileLayout.headSizeOffset))
    let start = Int(word(at: layout.logStartOffset))
    let end = start + Int(word(at: layout.logSizeOffset))
    var found = Sections()
    func add(_ kind: String, _ range: Range<Int>) {
      _ = found.add(section(kind, "", "", range.lowerBound, range.count, .live))
    }
    guard headEnd >= layout.headByteCountMin, headEnd <= start, start <= end, end <= byteCount else {
      found.problem = "a head of \(headEnd) bytes and a log from \(start) to \(end) don't lie in the file"
      return found
    }
    add("Stat", 0..<headEnd)
    if start > headEnd { add("Params", headEnd..<start) }
    add("Log", start..<end)
    return found
  }

  private func section(
    _ kind: String, _ type: String, _ name: String, _ offset: Int, _ byteCount: Int,
    _ state: SharedSection.State
  ) -> SharedSection {
    SharedSection(
      owner: "", file: path.split(separator: "/").last.map(String.init) ?? path, kind: kind, type: type,
      name: name, offset: offset, byteCount: byteCount, state: state)
  }

  /// A text that ends at a NUL, or where its room does.
  private func text(at offset: Int, room: Int) -> String {
    let bytes = (offset..<offset + room).map { unsafe mapping.base.load(fromByteOffset: $0, as: UInt8.self) }
    return String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
  }

  private static let wordRoom = 8, nameRoom = 128

  /// The class, type and name of the section at an offset, if one is still there; nil in 2.x, whose parts
  /// have no names.
  func label(at offset: Int) -> (kind: String, type: String, name: String)? {
    switch layout {
    case .flat: return nil
    case .sections:
      typealias Layout = SectionFileLayout
      guard word(at: offset) == Layout.sectionMagic else { return nil }
      return (
        text(at: offset + Layout.kindOffset, room: Self.wordRoom),
        text(at: offset + Layout.typeOffset, room: Self.wordRoom),
        text(at: offset + Layout.nameOffset, room: Self.nameRoom)
      )
    case .chunks:
      typealias Layout = ChunkFileLayout
      guard longWord(at: offset) == Layout.chunkMagic, longWord(at: offset + Layout.lengthOffset) > 0 else {
        return nil
      }
      return (
        text(at: offset + Layout.kindOffset, room: Self.wordRoom),
        text(at: offset + Layout.typeOffset, room: Self.wordRoom),
        text(at: offset + Layout.nameOffset, room: Self.nameRoom)
      )
    }
  }

  // MARK: 3.0

  private func listedSections() -> Sections {
    typealias Layout = SectionFileLayout
    let header = Layout.sectionHeaderByteCount
    let end = min(byteCount, Int(word(at: Layout.sizeOffset)))
    var found = Sections()
    if listNumber == 0 { found.problem = "the list was being changed" }
    var offset = Layout.firstSectionOffset
    while end - offset >= header {
      let length = Int(word(at: offset + Layout.lengthOffset))
      guard word(at: offset) == Layout.sectionMagic, length >= header, length <= end - offset,
        length % 4 == 0
      else {
        found.problem = "no section begins at byte \(offset), where the one before ends"
        break
      }
      let kind = text(at: offset + Layout.kindOffset, room: Self.wordRoom)
      let state: SharedSection.State =
        switch kind {
        case Layout.coolKind: .cooling
        case Layout.freeKind: .free
        default: .live
        }
      guard
        found.add(
          section(
            kind, text(at: offset + Layout.typeOffset, room: Self.wordRoom),
            text(at: offset + Layout.nameOffset, room: Self.nameRoom), offset, length, state))
      else { break }
      offset += length
    }
    return found
  }

  // MARK: 4.0 to 5.1

  private func listedChunks() -> Sections {
    typealias Layout = ChunkFileLayout
    let header = Layout.chunkHeaderByteCount
    var found = Sections()
    var seen: Set<Int> = []
    var next = longWord(at: Layout.firstChunkOffset)
    while next > 0 {
      guard next % 8 == 0, next >= UInt64(Layout.headByteCount), byteCount >= header,
        next <= UInt64(byteCount - header)
      else {
        found.problem = "the list leads to byte \(next) of \(byteCount)"
        break
      }
      let offset = Int(next)
      let length = longWord(at: offset + Layout.lengthOffset)
      guard seen.insert(offset).inserted else {
        found.problem = "the list leads back to byte \(offset)"
        break
      }
      guard longWord(at: offset) == Layout.chunkMagic, length >= UInt64(header),
        length <= UInt64(byteCount - offset)
      else {
        found.problem = "no chunk begins at byte \(offset), where the list leads"
        break
      }
      guard found.add(chunk(at: offset, Int(length), .live)) else { break }
      next = longWord(at: offset + Layout.nextOffset)
    }
    // If the list is broken off, the rest of the file isn't known to be free.
    if found.problem == nil { addFreed(to: &found) }
    return found
  }

  private func chunk(at offset: Int, _ length: Int, _ state: SharedSection.State) -> SharedSection {
    typealias Layout = ChunkFileLayout
    return section(
      text(at: offset + Layout.kindOffset, room: Self.wordRoom),
      text(at: offset + Layout.typeOffset, room: Self.wordRoom),
      text(at: offset + Layout.nameOffset, room: Self.nameRoom), offset, length, state)
  }

  /// Adds what lies between the chunks of the list: what was freed keeps its header, with no length, until it has
  /// cooled.
  private func addFreed(to found: inout Sections) {
    typealias Layout = ChunkFileLayout
    let header = Layout.chunkHeaderByteCount
    var at = Layout.headByteCount
    let listed = found.all.map { $0.offset..<$0.offset + $0.byteCount }.sorted {
      $0.lowerBound < $1.lowerBound
    }
    for taken in listed + [byteCount..<byteCount] {
      // Where each freed chunk begins in the gap.
      var starts: [Int] = []
      if taken.lowerBound - at >= header {
        for place in stride(from: (at + 7) & ~7, through: taken.lowerBound - header, by: 8)
        where longWord(at: place) == Layout.chunkMagic && longWord(at: place + Layout.lengthOffset) == 0 {
          starts.append(place)
          if starts.count > Sections.countMax { break }
        }
      }
      let firstEnd = starts.first ?? taken.lowerBound
      if firstEnd > at, !found.add(section("", "", "", at, firstEnd - at, .free)) { return }
      for (index, start) in starts.enumerated() {
        let end = index + 1 < starts.count ? starts[index + 1] : taken.lowerBound
        guard found.add(chunk(at: start, end - start, .cooling)) else { return }
      }
      at = max(at, taken.upperBound)
    }
  }
}

// MARK: - 2.x

extension SingleFile {
  /// Where in the log of 2.x the next record goes, and how often it has begun anew; nil for what isn't known.
  var logPointer: (offset: Int?, turns: UInt64?) {
    guard case .flat(let layout) = layout else { return (nil, nil) }
    let offset = Int(word(at: layout.pointerOffset))
    let turns = layout.cyclesOffset(headByteCount: word(at: FlatFileLayout.headSizeOffset))
    return (
      offset <= Int(word(at: layout.logSizeOffset)) ? offset : nil,
      turns.flatMap { $0 <= byteCount - 8 ? longWord(at: $0) : nil }
    )
  }
}
